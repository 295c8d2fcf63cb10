"""`/console`: whether all is well, and how much there is of everything, in one look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from webhook_bridge.console.chart import chart_of
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.verdict import verdict_of
from webhook_bridge.health import readiness_of
from webhook_bridge.scrape import STATES
from webhook_bridge.signed_in import Caller
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.ledger_balance import Balance, balance_of
from zixly_core.stores.overview import Overview, overview


@dataclass(frozen=True)
class SystemRow:
    """A system's day, and what is open there."""

    name: str
    completed: int
    failed: int
    open: int
    oldest_due_seconds: float | None


def overview_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)

    @router.get("/console")
    def page(request: Request, caller: Caller = signed_in) -> Response:
        with scoped(parts.api, caller.scope) as rows:
            found = overview(rows)
        is_staff = caller.scope.is_staff
        unreachable, balance = (unreachable_queues(parts), balance_now(parts)) if is_staff else ([], None)
        values = {
            "verdict": verdict_of(found, unreachable=unreachable, balance=balance),
            "chart": chart_of(found.ended, now=datetime.now(UTC)),
            "states": states_of(found),
            "systems": systems_of(found),
            "amiss": found.amiss,
        }
        return render(request, caller, "overview", values)

    return router


def balance_now(parts: ConsoleParts) -> Balance:
    with parts.metrics.transaction() as rows:
        return balance_of(rows)


def unreachable_queues(parts: ConsoleParts) -> Sequence[str]:
    return [one.name for one in readiness_of({}, parts.queues).checks if not one.ok]


def states_of(found: Overview) -> Mapping[str, int]:
    """Open jobs by why they are open; those that there are none of are left out."""
    counted = {state: sum(one.jobs for one in found.open_jobs if one.state == state) for state in STATES}
    return {state: number for state, number in counted.items() if number}


def systems_of(found: Overview) -> Sequence[SystemRow]:
    names = sorted({one.system for one in found.open_jobs} | {one.system for one in found.ended})
    return [system_row(name, found) for name in names]


def system_row(name: str, found: Overview) -> SystemRow:
    ended = [one for one in found.ended if one.system == name]
    waiting = [one for one in found.open_jobs if one.system == name]
    due = [one.oldest_seconds for one in waiting if one.state == "due"]
    return SystemRow(
        name,
        completed=sum(one.completed for one in ended),
        failed=sum(one.failed for one in ended),
        open=sum(one.jobs for one in waiting),
        oldest_due_seconds=max(due, default=None),
    )
