"""`/api/backfills`: ask for the past, watch it, stop it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from webhook_bridge.backfills_models import BackfillDetail, BackfillList, BackfillStatus, BackfillStopped, NewBackfill
from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.payload_views import looked_at
from webhook_bridge.problems import NotFound, WrongState, problems
from webhook_bridge.signed_in import Caller
from zixly_core.backfill_progress import progress_of
from zixly_core.backfilling import WantedBackfill, make_backfill
from zixly_core.stores.backfills import BackfillFilter, backfill_detail, backfills_page, stop_backfill
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import scoped

# More jobs of a dry run are found by `made_by` in the list of jobs.
MOST_EXAMPLES = 20


def wanted_backfills(
    *,
    tenant: Annotated[str | None, Query(description="A tenant's short name.", max_length=100)] = None,
    status: Annotated[BackfillStatus | None, Query(description="Only those that stand there.")] = None,
) -> BackfillFilter:
    return BackfillFilter(tenant, status)


@dataclass(frozen=True)
class Backfills:
    """Backfills for callers of the API; `database` is seen as role `api`."""

    database: Database
    run_url: str

    def make(self, caller: Caller, wanted: NewBackfill) -> BackfillDetail:
        asked = WantedBackfill(
            workflow=wanted.workflow,
            tenant=wanted.tenant,
            first=wanted.first_day,
            last=wanted.last_day,
            is_dry_run=wanted.dry_run,
            connection_id=wanted.connection_id,
        )
        with scoped(self.database, caller.scope) as connection:
            backfill_id = make_backfill(connection, asked, actor=caller.name, now=datetime.now(UTC))
            return detail(connection, backfill_id, run_url=self.run_url)

    def shown(self, caller: Caller, backfill_id: UUID) -> BackfillDetail:
        with scoped(self.database, caller.scope) as connection:
            row = known_backfill(connection, backfill_id)
            found, whose = detail_of(row, run_url=self.run_url), [row["tenant_id"]]
            return looked_at(connection, found, caller=caller, thing="backfill", subject=backfill_id, whose=whose)

    def stop(self, caller: Caller, backfill_id: UUID) -> BackfillStopped:
        with scoped(self.database, caller.scope) as connection:
            found = detail(connection, backfill_id, run_url=self.run_url)
            cancelled = stop_backfill(connection, backfill_id, actor=caller.name)
        if cancelled is None:
            raise WrongState(f"Backfill {backfill_id} is {found.status} and cannot be stopped.")
        return BackfillStopped(id=backfill_id, jobs_cancelled=cancelled)


def backfills_routes(database: Database, *, dagster_url: str, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`. What is asked for is launched by the sensor `backfills` within seconds."""
    router = APIRouter(prefix="/api/backfills", tags=["backfills"])
    store = Backfills(database, f"{dagster_url.rstrip('/')}/runs")
    signed_in, filtered = Depends(caller_of), Depends(wanted_backfills)

    @router.post("", status_code=202, responses=problems(400, 401, 403, 422, 503))
    def make(wanted: NewBackfill, caller: Caller = signed_in) -> BackfillDetail:
        """Have a workflow do for the records of past days what it would have done at their webhooks."""
        return store.make(caller, wanted)

    @router.get("", responses=problems(400, 401, 422, 503))
    def backfills(
        wanted: BackfillFilter = filtered,
        limit: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
        cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)] = None,
        caller: Caller = signed_in,
    ) -> BackfillList:
        """Backfills, newest first."""
        page = page_from(limit=limit, cursor=cursor)
        with scoped(database, caller.scope) as connection:
            rows = backfills_page(connection, wanted, page=page)
        documents = [document_of(row) for row in rows]
        return BackfillList.model_validate({"backfills": documents, "next_cursor": cursor_after(rows, limit=limit, age="created_at")})

    @router.get("/{backfill_id}", responses=problems(401, 404, 422, 503))
    def backfill(backfill_id: UUID, caller: Caller = signed_in) -> BackfillDetail:
        """One backfill: its days, how many of its jobs have ended, and how long the rest will take."""
        return store.shown(caller, backfill_id)

    @router.post("/{backfill_id}/stop", responses=problems(401, 403, 404, 409, 422, 503))
    def stop(backfill_id: UUID, caller: Caller = signed_in) -> BackfillStopped:
        """Read no further day, and cancel the jobs that no run has in hand yet."""
        return store.stop(caller, backfill_id)

    return router


def detail(connection: Rows, backfill_id: UUID, *, run_url: str) -> BackfillDetail:
    """Raises `NotFound`."""
    return detail_of(known_backfill(connection, backfill_id), run_url=run_url)


def known_backfill(connection: Rows, backfill_id: UUID) -> Mapping[str, Any]:
    """Raises `NotFound`."""
    row = backfill_detail(connection, backfill_id, examples=MOST_EXAMPLES)
    if row is None:
        raise NotFound(f"There is no backfill {backfill_id}, or it is not yours to see.")
    return row


def detail_of(row: Mapping[str, Any], *, run_url: str) -> BackfillDetail:
    progress = progress_of(
        days=row["days"],
        days_read=row["days_done"] + row["days_failed"],
        jobs_made=row["jobs_made"],
        jobs_open=row["jobs_open"],
        ended_lately=row["ended_lately"],
        lately_seconds=row["lately_seconds"],
    )
    days = [day | {"run": f"{run_url}/{day['run_id']}" if day["run_id"] else None} for day in row["days_log"]]
    return BackfillDetail.model_validate(document_of(row) | asdict(progress) | {"days_log": days})


def document_of(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "dry_run": row["is_dry_run"]}
