"""`/console/ledger`: whether what came and what was made balances, by the hour, tenant and system (promise 7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from webhook_bridge.console.asked import Text, answered, moment, text
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.ledger_lines import LedgerLine, ledger_lines, sums_of
from webhook_bridge.signed_in import Caller
from webhook_bridge.trace_api import wanted_hours
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.ledger_view import LedgerWanted, ledger_view
from zixly_core.stores.pipeline_counts import unaccounted_jobs
from zixly_core.systems import SYSTEMS

PATH = "/console/ledger"
# More lines than anybody reads; an export holds all.
MAX_LINES = 300
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class HoursWanted:
    """The hours that are meant, and what of the address was answered."""

    hours: LedgerWanted
    chosen: dict[str, str]


def hours_asked(*, tenant: Text = "", system: Text = "", since: Text = "", until: Text = "") -> HoursWanted:
    begin, end = moment(since, name="since"), moment(until, name="until")
    hours = wanted_hours(begin, end, now=datetime.now(UTC), tenant=text(tenant), system=text(system))
    return HoursWanted(hours, answered({"tenant": text(tenant), "system": text(system), "since": begin, "until": end}))


Asked = Annotated[HoursWanted, Depends(hours_asked)]


def ledger_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)

    @router.get(PATH)
    def ledger(request: Request, asked: Asked, caller: Caller = signed_in) -> Response:
        with scoped(parts.api, caller.scope) as connection:
            lines = ledger_lines(ledger_view(connection, asked.hours, is_staff=caller.scope.is_staff))
        every = [line for line in lines if line.scope == "all" and (line.received or line.difference)]
        own = [line for line in lines if line.scope == "tenant"]
        values = {
            "asked": asked,
            "systems": sorted(SYSTEMS),
            "unaccounted": unaccounted_jobs(parts.metrics) if caller.scope.is_staff else None,
            "sums": sums_of(lines),
            "received": first_of(every),
            "lines": first_of(own),
            "is_cut": max(len(every), len(own)) > MAX_LINES,
            "jobs_of": jobs_of,
            "deliveries_of": deliveries_of,
        }
        return render(request, caller, "ledger", values)

    return router


def first_of(lines: list[LedgerLine]) -> list[LedgerLine]:
    """Those that do not balance before all others."""
    return sorted(lines, key=lambda line: line.difference == 0)[:MAX_LINES]


def jobs_of(line: LedgerLine, **more: str) -> str:
    """Where the jobs behind a figure are listed."""
    return f"/console/jobs?{urlencode(place_of(line) | more)}"


def deliveries_of(line: LedgerLine) -> str:
    return f"/console/deliveries?{urlencode(place_of(line))}"


def place_of(line: LedgerLine) -> dict[str, str]:
    tenant = {"tenant": line.tenant} if line.tenant else {}
    return tenant | {"system": line.system, "since": line.hour.isoformat(), "until": (line.hour + HOUR).isoformat()}
