"""What happens in the demo: one event of each workflow, as people and customers cause it at the vendors, which are the sandbox here.

The sandbox then sends its own signed webhooks. Each happening tells which record its job must be about.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx2
import psycopg

from zixly_cli.deliveries import TIMEOUT_SECONDS, post, sample_maker
from zixly_cli.seed import DEMO, TENANTS
from zixly_cli.stack.programs import Plan
from zixly_cli.stack.startup import Say
from zixly_core.errors import Transient

# Invoices that are paid for each client.
PAID_COUNT = 3
ADA_IN_HUBSPOT = "901"
TASK = "1202222222222201"  # of the demo's deal; zixly_sandbox/README.md
WEBHOOK_SECONDS = 30.0
LOOK_SECONDS = 0.2
# Those that Asana has confirmed: a path is active from its handshake on, and that comes before the webhook is there.
LISTENING = "select count(*) from zixly.subscriptions where kind = 'handshake' and status = 'ACTIVE' and external_id is not null"


class HasPlan(Protocol):
    """A stack, whoever brought it up."""

    @property
    def plan(self) -> Plan: ...


@dataclass(frozen=True)
class Expected:
    """A job that must come of what happened."""

    workflow: str
    record_id: str


def happenings(stack: HasPlan, *, say: Say) -> frozenset[Expected]:
    """Let everything happen; the jobs that must come of it. Raises `Transient` when the sandbox or the bridge does not do it."""
    found: set[Expected] = set()
    for happen in HAPPENINGS:
        found |= happen(stack, say)
    return frozenset(found)


def invoices_are_paid(stack: HasPlan, say: Say) -> set[Expected]:
    paid: set[Expected] = set()
    for tenant in TENANTS:
        ids = ask(stack, f"/xero/{tenant.organisation}/pay", {"count": PAID_COUNT})["paid"]
        say(f"Xero: the customers of {tenant.slug} paid {len(ids)} invoices")
        paid |= {Expected("xero-invoice-to-hubspot", one) for one in ids}
    return paid


def a_deal_is_won(stack: HasPlan, say: Say) -> set[Expected]:
    """A new deal of a known contact is moved to the stage that is won."""
    properties = {"dealname": "Website care plan", "dealstage": "appointmentscheduled", "pipeline": "default", "amount": "1660.00"}
    body = {"properties": properties, "associations": {"contacts": [ADA_IN_HUBSPOT]}}
    deal = str(ask(stack, f"/hubspot/{DEMO.portal}/deals", body)["id"])
    ask(stack, f"/hubspot/{DEMO.portal}/deals/{deal}/stage", {})
    say(f"HubSpot: deal {deal} was won")
    return {Expected("hubspot-deal-to-xero", deal)}


def an_order_is_paid(stack: HasPlan, say: Say) -> set[Expected]:
    order = str(ask(stack, f"/shopify/{DEMO.shop}/orders", {"email": "first.order@example.test", "first_name": "Mia"})["id"])
    say(f"Shopify: order {order} was placed and paid")
    return {Expected("shopify-order-to-xero", order)}


def a_task_is_completed(stack: HasPlan, say: Say) -> set[Expected]:
    """Once the worker has made the webhooks: Asana tells nobody of what happened before."""
    wait_for_webhooks(stack)
    ask(stack, f"/asana/{DEMO.workspace}/tasks/{TASK}/complete", {})
    say(f"Asana: task {TASK} was completed")
    return {Expected("asana-task-to-hubspot", TASK)}


def a_sweep_is_asked_for(stack: HasPlan, say: Say) -> set[Expected]:
    """The demo tenant's own system asks for a sweep, signed."""
    made = stack.plan.secrets
    url = stack.plan.urls.bridge
    key = f"{made.callback_token} {made.callback_secret}"
    delivery = sample_maker("trading-sweep")(["BHP.AX"], account=DEMO.organisation, key=key, now=datetime.now(UTC), public_url=url)
    answer = post(delivery, bridge_url=url)
    if not answer.is_success:
        raise Transient(f"The bridge answered {answer.status_code} to a request for a sweep: {answer.text}")
    say(f"a sender of our own asked for a sweep: {answer.status_code} with job {', '.join(answer.json()['job_ids'])}")
    return {Expected("trading-sweep", delivery.headers["webhook-id"])}


HAPPENINGS: tuple[Callable[[HasPlan, Say], set[Expected]], ...] = (
    invoices_are_paid,
    a_deal_is_won,
    an_order_is_paid,
    a_sweep_is_asked_for,
    a_task_is_completed,
)


def wait_for_webhooks(stack: HasPlan) -> None:
    """Until Asana's webhooks of both clients have shaken hands. Raises `Transient` when they do not in time."""
    deadline = time.monotonic() + WEBHOOK_SECONDS
    with psycopg.connect(stack.plan.urls.owner, autocommit=True) as connection:
        while (found := connection.execute(LISTENING).fetchone()) is None or found[0] < len(TENANTS):
            if time.monotonic() > deadline:
                raise Transient(f"Asana's webhooks were not made within {WEBHOOK_SECONDS:.0f} s; see the log of the workers")
            time.sleep(LOOK_SECONDS)


def ask(stack: HasPlan, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Let the sandbox do something. Raises `Transient` when it does not do it."""
    url = f"{stack.plan.urls.sandbox}/_sandbox{path}"
    try:
        answer = httpx2.post(url, json=body, timeout=TIMEOUT_SECONDS, trust_env=False).raise_for_status()
    except httpx2.HTTPError as error:
        raise Transient(f"The sandbox did not do what {path} asks for ({error})") from error
    document: dict[str, Any] = answer.json()
    return document
