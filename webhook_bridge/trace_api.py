"""`/api/trace/{id}`: the way of one thing on one screen. `/api/ledger`: what came, what was made, how it ended, by the hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from webhook_bridge.jobs_api import job_document
from webhook_bridge.payload_views import looked_at
from webhook_bridge.problems import NotFound, problems
from webhook_bridge.signed_in import Caller
from webhook_bridge.trace_models import HourReceived, Ledger, Trace
from zixly_core.errors import Rejected
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.ledger_view import LedgerWanted, ledger_view
from zixly_core.stores.pipeline_counts import unaccounted_jobs
from zixly_core.stores.trace import trace_of

LONGEST = timedelta(days=31)


def wanted_ledger(
    *,
    tenant: Annotated[str | None, Query(description="A tenant's short name.", max_length=100)] = None,
    system: Annotated[str | None, Query(description="Such as `xero`.", max_length=50)] = None,
    since: Annotated[AwareDatetime | None, Query(description="From the hour that holds this moment; a day ago if left out.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Up to here; now if left out.")] = None,
) -> LedgerWanted:
    return wanted_hours(since, until, now=datetime.now(UTC), tenant=tenant, system=system)


def trace_routes(database: Database, metrics: Database, *, dagster_url: str, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`, `metrics` as the role that counts."""
    router = APIRouter(tags=["looking"])
    run_url = f"{dagster_url.rstrip('/')}/runs"
    signed_in, filtered = Depends(caller_of), Depends(wanted_ledger)

    @router.get("/api/trace/{wanted}", responses=problems(401, 404, 422, 503))
    def trace(wanted: UUID, caller: Caller = signed_in) -> Trace:
        """The way of a delivery, event, job, batch, run or trace, whichever bears the id."""
        with scoped(database, caller.scope) as connection:
            found = trace_of(connection, wanted)
            if found is None:
                raise NotFound(f"No delivery, event, job, batch, run or trace has the id {wanted}, or it is not yours to see.")
            jobs = [job_document(job, run_url=run_url) | {"steps": job["execution_log"]} for job in found.jobs]
            came = [row | {"body_sha256": row["body_sha256"].hex()} for row in found.deliveries]
            document = {"kind": found.kind, "deliveries": came, "events": found.events, "jobs": jobs, "job_count": found.job_count}
            whose = [job["tenant_id"] for job in found.jobs]
            return looked_at(connection, Trace.model_validate(document), caller=caller, thing="trace", subject=wanted, whose=whose)

    @router.get("/api/ledger", responses=problems(400, 401, 422, 503))
    def ledger(wanted: LedgerWanted = filtered, caller: Caller = signed_in) -> Ledger:
        """What came and what became of it, what was made and how it stands, for each tenant, system and hour."""
        with scoped(database, caller.scope) as connection:
            view = ledger_view(connection, wanted, is_staff=caller.scope.is_staff)
        return Ledger.model_validate(
            {
                "since": wanted.since,
                "until": wanted.until,
                "events": [asdict(one) for one in view.events],
                "jobs": [asdict(one) for one in view.jobs],
                "received": None
                if view.received is None
                else [HourReceived(**asdict(one), difference=one.difference) for one in view.received],
                "unaccounted": unaccounted_jobs(metrics) if caller.scope.is_staff else None,
            }
        )

    return router


def wanted_hours(
    since: datetime | None, until: datetime | None, *, now: datetime, tenant: str | None = None, system: str | None = None
) -> LedgerWanted:
    """The hours that are meant. Raises `Rejected` for none, or for more than are read in one go."""
    end = until or now
    begin = (since or end - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    if begin >= end:
        raise Rejected(f"`since` ({begin.isoformat()}) is not before `until` ({end.isoformat()}).", reason="window_empty")
    if end - begin > LONGEST + timedelta(hours=1):
        raise Rejected(f"At most {LONGEST.days} days are shown at once; ask for a shorter window.", reason="window_too_long")
    return LedgerWanted(since=begin, until=end, tenant=tenant, system=system)
