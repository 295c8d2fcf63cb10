"""The sandbox as the benchmarks want it: no vendor limit that would be measured instead of us, and invoices in any number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx2

from benchmarks.errors import NotMeasured
from zixly_cli.seed import DEMO
from zixly_core.systems.xero.fields import instant_from

TIMEOUT_SECONDS = 60.0
# More calls than any question makes. Latency and everything else stay as they are.
NO_LIMITS: dict[str, Any] = {
    "xero": {"minute_calls": 10_000_000, "day_calls": 10_000_000, "app_minute_calls": 10_000_000, "concurrent_calls": 1_000},
    "hubspot": {"burst_calls": 10_000_000, "search_calls": 10_000_000},
}

# What the vendors allow (zixly_sandbox/rules.py), and about how long their answers take.
REAL_LIMITS: dict[str, Any] = {
    "latency_seconds": 0.15,
    "xero": {"minute_calls": 60, "day_calls": 5_000, "app_minute_calls": 10_000, "concurrent_calls": 5},
    "hubspot": {"burst_calls": 110, "search_calls": 5},
}


def lift_limits(sandbox_url: str) -> None:
    """Raises `NotMeasured` when the sandbox does not do it."""
    call("PATCH", f"{sandbox_url}/_sandbox/rules", {"latency_seconds": 0, **NO_LIMITS})


def slow_down(sandbox_url: str, *, seconds: float) -> None:
    """So long takes each answer, until limits are lifted or restored. Raises `NotMeasured` when the sandbox does not do it."""
    call("PATCH", f"{sandbox_url}/_sandbox/rules", {"latency_seconds": seconds})


def restore_limits(sandbox_url: str) -> None:
    """The vendors' own limits. Raises `NotMeasured` when the sandbox does not do it."""
    call("PATCH", f"{sandbox_url}/_sandbox/rules", REAL_LIMITS)


def answer_after(sandbox_url: str, *, seconds: float) -> None:
    """How long the vendors take for an answer. Raises `NotMeasured` when the sandbox does not do it."""
    call("PATCH", f"{sandbox_url}/_sandbox/rules", {"latency_seconds": seconds})


def calls_by_status(sandbox_url: str) -> dict[tuple[str, int], int]:
    """How many calls to each vendor were answered how since the sandbox began, tokens left out."""
    counts: dict[tuple[str, int], int] = {}
    for row in call("GET", f"{sandbox_url}/_sandbox/calls"):
        if "token" not in row["endpoint"]:
            key = (row["system"], row["status"])
            counts[key] = counts.get(key, 0) + row["count"]
    return counts


def paid_invoices(sandbox_url: str, *, count: int, organisation: str = DEMO.organisation) -> list[str]:
    """Ids of so many new paid sales invoices of as many customers of an organisation; no webhook was sent for them."""
    wanted = {"organisation": organisation, "customers": count, "invoices": count, "paid_percent": 100, "only_sales": True}
    ids: list[str] = call("POST", f"{sandbox_url}/_sandbox/seed", wanted)["invoice_ids"]
    return ids


def changed_at(sandbox_url: str, invoice: str) -> datetime:
    """When an invoice of the demo organisation last changed."""
    return instant_from(call("GET", f"{sandbox_url}/_sandbox/xero/{DEMO.organisation}/invoices/{invoice}")["UpdatedDateUTC"])


def call(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    try:
        return httpx2.request(method, url, json=body, timeout=TIMEOUT_SECONDS, trust_env=False).raise_for_status().json()
    except httpx2.HTTPError as error:
        raise NotMeasured(f"The sandbox did not do what the measurement needs ({error})") from error
