"""New invoices at the sandbox's Xero: nobody was told of them before, no job is about them, and HubSpot knows each one's customer.

What the sandbox picks from its open invoices (`{"count": 3}`) may have a job already, or a customer of whom nothing can be written.
"""

from __future__ import annotations

import httpx2

from tests.support.busy import longest
from tests.support.stack import StackUnderTest

# So many customers are seeded at most.
CUSTOMERS = 30


def new_invoices(stack: StackUnderTest, organisation: str, count: int) -> list[str]:
    """Open sales invoices; the ids. No two of them are one customer's, up to `CUSTOMERS`."""
    wanted = {"organisation": organisation, "paid_percent": 0, "only_sales": True, "only_known": True}
    if count > CUSTOMERS:
        return seeded(stack, {**wanted, "customers": CUSTOMERS, "invoices": count})
    return [one for _ in range(count) for one in seeded(stack, {**wanted, "customers": 1, "invoices": 1})]


def seeded(stack: StackUnderTest, wanted: dict[str, object]) -> list[str]:
    made: list[str] = asked(stack, "/seed", wanted)["invoice_ids"]
    return made


def paid(stack: StackUnderTest, organisation: str, count: int) -> list[str]:
    """New invoices are paid, and a webhook tells of each; the ids, in the order of the payments."""
    return pay(stack, organisation, new_invoices(stack, organisation, count))


def pay(stack: StackUnderTest, organisation: str, invoices: list[str]) -> list[str]:
    found: list[str] = asked(stack, f"/xero/{organisation}/pay", {"invoice_ids": invoices})["paid"]
    return found


def asked(stack: StackUnderTest, path: str, body: dict[str, object]) -> dict[str, list[str]]:
    url = f"{stack.plan.urls.sandbox}/_sandbox{path}"
    answer: dict[str, list[str]] = httpx2.post(url, json=body, timeout=longest(60), trust_env=False).raise_for_status().json()
    return answer
