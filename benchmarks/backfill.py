"""A backfill of the demo organisation's older invoices, asked for as people do, and the recent ones that it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from benchmarks.errors import NotMeasured
from benchmarks.sandbox import call, changed_at, paid_invoices
from zixly_cli.seed import DEMO

WORKFLOW = "xero-invoice-to-hubspot"
# The sandbox spreads what it seeds over the last 1 to 90 days (zixly_sandbox/seeding/bulk.py). The older part is backfilled, live
# events are about the newest, and nothing lies between the two whatever the time zone.
OLDEST, NEWEST, LIVE = timedelta(days=91), timedelta(days=10), timedelta(days=8)
SPREAD_DAYS, OLDER_DAYS = 89, 80


def seeded_invoices(sandbox_url: str, *, backfill: int, live: int) -> list[str]:
    """New paid invoices, of which about `backfill` lie in the days that are backfilled; so many that changed lately, for events."""
    ids = paid_invoices(sandbox_url, count=round(backfill * SPREAD_DAYS / OLDER_DAYS))
    found = [one for one, _ in zip(recent(sandbox_url, ids), range(live), strict=False)]
    if len(found) < live:
        raise NotMeasured(f"Only {len(found)} of {live} invoices changed lately; seed more")
    return found


def recent(sandbox_url: str, ids: Sequence[str]) -> Iterator[str]:
    since = datetime.now(UTC) - LIVE
    return (one for one in ids if changed_at(sandbox_url, one) >= since)


def start_backfill(bridge_url: str) -> str:
    """Ask for it; its id."""
    today = datetime.now(UTC).date()
    wanted = {"first_day": str(today - OLDEST), "last_day": str(today - NEWEST)}
    made: dict[str, Any] = call("POST", f"{bridge_url}/api/backfills", {**wanted, "workflow": WORKFLOW, "tenant": DEMO.slug})
    return str(made["id"])


def looked_at(bridge_url: str, backfill_id: str) -> dict[str, Any]:
    """The backfill as it stands. Raises `NotMeasured` when a day or a job of it failed."""
    found: dict[str, Any] = call("GET", f"{bridge_url}/api/backfills/{backfill_id}")
    if found["jobs_failed"] or found["jobs_cancelled"] or found["status"] in {"FAILED", "STOPPED"}:
        raise NotMeasured(f"the backfill is {found['status']}: {found['jobs_failed']} failed, {found['jobs_cancelled']} cancelled jobs")
    return found


def forget_budgets(owner_url: str) -> None:
    """Nothing is known of any account's limits, as on the first day."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("delete from zixly.api_budgets")
