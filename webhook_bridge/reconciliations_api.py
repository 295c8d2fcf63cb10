"""`/api/reconciliations` and `/api/drifts`: compare now, read the report, repair or accept what differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool

from webhook_bridge.cursors import cursor_after, page_from
from webhook_bridge.payload_views import looked_at
from webhook_bridge.problems import NotFound, WrongState, problems
from webhook_bridge.reconciliation_models import (
    Drift,
    DriftPage,
    DriftStanding,
    NewReconciliation,
    Reconciliation,
    ReconciliationPage,
    Reconciliations,
    RepairAsked,
    Repairing,
    Report,
)
from webhook_bridge.signed_in import Caller
from zixly_core.drifts import DriftKind, DriftStatus
from zixly_core.reconciling.comparisons import COMPARISONS
from zixly_core.reconciling.planning import Ask, plan
from zixly_core.stores.audit import note
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.drift_views import DriftFilter, ReconciliationFilter, drifts_page, reconciliation_report, reconciliations_page
from zixly_core.stores.drifts import accept, repair, tenant_of_found
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.manual_jobs import tenant_of
from zixly_core.stores.new_jobs import MadeJobs

Announce = Callable[[Mapping[str, Sequence[UUID]]], None]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=200)]
Tenant = Annotated[str | None, Query(description="A tenant's short name.", max_length=100)]
Workflow = Annotated[str | None, Query(description="Such as `xero-invoice-to-hubspot`.", max_length=100)]


def wanted_reconciliations(*, tenant: Tenant = None, workflow: Workflow = None) -> ReconciliationFilter:
    return ReconciliationFilter(tenant, workflow)


def wanted_drifts(
    *,
    tenant: Tenant = None,
    workflow: Workflow = None,
    status: Annotated[DriftStatus | None, Query(description="Only drifts that stand there.")] = None,
    kind: Annotated[DriftKind | None, Query(description="Only drifts of this kind.")] = None,
    reconciliation: Annotated[UUID | None, Query(description="Only drifts that this one found.")] = None,
) -> DriftFilter:
    return DriftFilter(tenant=tenant, workflow=workflow, status=status, kind=kind, reconciliation=reconciliation)


@dataclass(frozen=True)
class Comparisons:
    """Reconciliations for callers of the API; `database` is seen as role `api`."""

    database: Database

    def ask(self, caller: Caller, asked: NewReconciliation) -> Reconciliations:
        if asked.workflow is not None and asked.workflow not in COMPARISONS:
            known = ", ".join(sorted(COMPARISONS))
            raise NotFound(f"{asked.workflow} cannot be reconciled; that works for {known}.")
        with scoped(self.database, caller.scope) as connection:
            tenant_id = tenant_of(connection, asked.tenant)
            made = plan(connection, ask_from(asked, tenant_id), now=datetime.now(UTC))
            if not made:
                text = "Nothing was begun: it is under way already, or the tenant has not both accounts of such a workflow connected."
                raise WrongState(text)
            for one in made:
                note(connection, actor=caller.name, action="reconciliation.ask", subject=one, tenant_id=tenant_id)
            rows = [reconciliation_report(connection, one) for one in made]
        return Reconciliations(reconciliations=[Reconciliation.model_validate(row) for row in rows])

    def seen(self, caller: Caller, wanted: ReconciliationFilter, *, limit: int, cursor: str | None) -> ReconciliationPage:
        page = page_from(limit=limit, cursor=cursor)
        with scoped(self.database, caller.scope) as connection:
            rows = reconciliations_page(connection, wanted, page=page)
        found = [Reconciliation.model_validate(row) for row in rows]
        return ReconciliationPage(reconciliations=found, next_cursor=cursor_after(rows, limit=limit, age="created_at"))

    def drifts(self, caller: Caller, wanted: DriftFilter, *, limit: int, cursor: str | None) -> DriftPage:
        page = page_from(limit=limit, cursor=cursor)
        with scoped(self.database, caller.scope) as connection:
            rows = drifts_page(connection, wanted, page=page)
            found = [Drift.model_validate(row) for row in rows]
            answer = DriftPage(drifts=found, next_cursor=cursor_after(rows, limit=limit, age="found_at"))
            whose = [row["tenant_id"] for row in rows]
            return looked_at(connection, answer, caller=caller, thing="drifts", subject="list", whose=whose)

    def report(self, caller: Caller, reconciliation_id: UUID) -> Report:
        with scoped(self.database, caller.scope) as connection:
            row = known_report(connection, reconciliation_id)
            found, whose = Report.model_validate(row), [row["tenant_id"]]
            return looked_at(connection, found, caller=caller, thing="reconciliation", subject=reconciliation_id, whose=whose)

    def repair_found(self, caller: Caller, reconciliation_id: UUID, asked: RepairAsked) -> MadeJobs:
        with scoped(self.database, caller.scope) as connection:
            known_report(connection, reconciliation_id)
            made = repair(connection, now=datetime.now(UTC), ids=asked.drift_ids, found_by=reconciliation_id, kind=asked.kind)
            about, whose = f"reconciliation {reconciliation_id}", tenant_of_found(connection, reconciliation_id)
            note(connection, actor=caller.name, action="drift.repair", subject=about, tenant_id=whose, details={"jobs": made.count})
        return made

    def repair_one(self, caller: Caller, drift_id: UUID) -> MadeJobs:
        with scoped(self.database, caller.scope) as connection:
            made = repair(connection, now=datetime.now(UTC), ids=[drift_id])
            if not made.count:
                raise not_open(drift_id)
            note(connection, actor=caller.name, action="drift.repair", subject=drift_id, tenant_id=tenant_of_found(connection, drift_id))
        return made

    def accept(self, caller: Caller, drift_id: UUID) -> None:
        with scoped(self.database, caller.scope) as connection:
            tenant_id = accept(connection, drift_id)
            if tenant_id is None:
                raise not_open(drift_id)
            note(connection, actor=caller.name, action="drift.accept", subject=drift_id, tenant_id=tenant_id)


def reconciliations_routes(database: Database, *, caller_of: Callable[[Request], Caller], announce: Announce) -> APIRouter:
    """The routes; `announce` tells the systems' queues of new jobs."""
    router = APIRouter(tags=["reconciliation"])
    signed_in = Depends(caller_of)
    reconciliations_wanted, drifts_wanted = Depends(wanted_reconciliations), Depends(wanted_drifts)
    store = Comparisons(database)

    @router.post("/api/reconciliations", status_code=202, responses=problems(400, 401, 403, 404, 409, 422, 503))
    def ask(asked: NewReconciliation, caller: Caller = signed_in) -> Reconciliations:
        """Compare now; a worker begins within seconds."""
        return store.ask(caller, asked)

    @router.get("/api/reconciliations", responses=problems(400, 401, 422, 503))
    def reconciliations(
        wanted: ReconciliationFilter = reconciliations_wanted, limit: Limit = 50, cursor: Cursor = None, caller: Caller = signed_in
    ) -> ReconciliationPage:
        """Reconciliations, newest first, with their counts."""
        return store.seen(caller, wanted, limit=limit, cursor=cursor)

    @router.get("/api/reconciliations/{reconciliation_id}", responses=problems(401, 404, 422, 503))
    def report(reconciliation_id: UUID, caller: Caller = signed_in) -> Report:
        """The report: counts, how the drifts stand now, and examples with their fields."""
        return store.report(caller, reconciliation_id)

    @router.post("/api/reconciliations/{reconciliation_id}/repair", status_code=202, responses=problems(401, 403, 404, 422, 503))
    async def repair_found(reconciliation_id: UUID, asked: RepairAsked, caller: Caller = signed_in) -> Repairing:
        """Repair the open drifts that it found, or some of them, each once: by jobs of their workflow."""
        made = await run_in_threadpool(store.repair_found, caller, reconciliation_id, asked)
        announce(made.by_system)
        return Repairing(jobs=made.count)

    @router.get("/api/drifts", responses=problems(400, 401, 422, 503))
    def drifts(wanted: DriftFilter = drifts_wanted, limit: Limit = 50, cursor: Cursor = None, caller: Caller = signed_in) -> DriftPage:
        """Drifts, newest first."""
        return store.drifts(caller, wanted, limit=limit, cursor=cursor)

    @router.post("/api/drifts/{drift_id}/repair", status_code=202, responses=problems(401, 403, 404, 409, 422, 503))
    async def repair_one(drift_id: UUID, caller: Caller = signed_in) -> Repairing:
        """Repair one drift; repairing it twice writes once."""
        made = await run_in_threadpool(store.repair_one, caller, drift_id)
        announce(made.by_system)
        return Repairing(jobs=made.count)

    @router.post("/api/drifts/{drift_id}/accept", responses=problems(401, 403, 404, 409, 422, 503))
    def accept_one(drift_id: UUID, caller: Caller = signed_in) -> DriftStanding:
        """Leave a drift as it is: it is told again only when its values change."""
        store.accept(caller, drift_id)
        return DriftStanding(id=drift_id, status=DriftStatus.ACCEPTED)

    return router


def ask_from(asked: NewReconciliation, tenant_id: UUID) -> Ask:
    return Ask(
        tenant_id,
        workflow=asked.workflow,
        is_full=asked.full,
        is_dry=asked.dry,
        days=asked.days,
        settling=timedelta(seconds=asked.settle_seconds),
    )


def known_report(rows: Rows, reconciliation_id: UUID) -> Mapping[str, Any]:
    """Raises `NotFound`."""
    row = reconciliation_report(rows, reconciliation_id)
    if row is None:
        raise NotFound(f"There is no reconciliation {reconciliation_id}, or it is not yours to see.")
    return row


def not_open(drift_id: UUID) -> WrongState:
    return WrongState(f"Drift {drift_id} is not open: it is under repair, has ended, or is not yours to see.")
