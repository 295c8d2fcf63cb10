"""`/console/reconciliation`: comparisons of systems with each other, what differs, and repairing or accepting it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from webhook_bridge.console.asked import Text, address
from webhook_bridge.console.filled import back_to, wanted_from
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.forms import OwnForm
from webhook_bridge.problems import NotFound
from webhook_bridge.reconciliation_models import DriftPage, NewReconciliation, Reconciliation, RepairAsked, Report
from webhook_bridge.reconciliations_api import Comparisons
from webhook_bridge.signed_in import Caller
from zixly_core.drifts import DriftKind, DriftStatus
from zixly_core.reconciling.comparisons import COMPARISONS
from zixly_core.stores.drift_views import DriftFilter, ReconciliationFilter

PATH = "/console/reconciliation"
DRIFTS = f"{PATH}/drifts"
PAGE_SIZE = 50


def reconciliation_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(prefix=PATH, include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    store = Comparisons(parts.api)

    @router.get("")
    def every(request: Request, tenant: Text = "", workflow: Text = "", cursor: Text = "", caller: Caller = signed_in) -> Response:
        chosen = {"tenant": tenant.strip(), "workflow": workflow.strip()}
        wanted = ReconciliationFilter(tenant.strip() or None, workflow.strip() or None)
        found = store.seen(caller, wanted, limit=PAGE_SIZE, cursor=cursor or None)
        values = {"reconciliations": found.reconciliations, "differ": differ, **pages_of(PATH, chosen, found.next_cursor, cursor)}
        return render(request, caller, "reconciliations", values)

    @router.post("")
    def begin(request: Request, form: OwnForm, caller: Caller = signed_in) -> Response:
        wanted = wanted_from(form, NewReconciliation, "tenant", "workflow", "days", full="full" in form, dry="dry" in form)
        begun = store.ask(caller, wanted).reconciliations
        to = f"{PATH}/{begun[0].id}" if len(begun) == 1 else PATH
        return done(request, to=to, text=f"{len(begun)} begun; a worker compares within seconds.")

    @router.get("/drifts", response_model=DriftPage, response_class=HTMLResponse)
    def drifts(
        *,
        request: Request,
        tenant: Text = "",
        workflow: Text = "",
        status: Text = "OPEN",
        kind: Text = "",
        cursor: Text = "",
        caller: Caller = signed_in,
    ) -> Response:
        chosen = {"tenant": tenant.strip(), "workflow": workflow.strip(), "status": status, "kind": kind}
        refuse_unknown(status, DriftStatus)
        refuse_unknown(kind, DriftKind)
        wanted = DriftFilter(tenant.strip() or None, workflow.strip() or None, status or None, kind or None)
        found = store.drifts(caller, wanted, limit=PAGE_SIZE, cursor=cursor or None)
        values = {"drifts": found.drifts, **pages_of(DRIFTS, chosen, found.next_cursor, cursor)}
        return render(request, caller, "drifts", values | {"statuses": list(DriftStatus), "kinds": list(DriftKind)})

    @router.post("/drifts/{drift_id}/repair")
    async def repair_one(request: Request, drift_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        made = await run_in_threadpool(store.repair_one, caller, drift_id)
        parts.announce(made.by_system)
        return done(request, to=back_to(form, default=DRIFTS), text="A job repairs it; repairing it twice writes once.")

    @router.post("/drifts/{drift_id}/accept")
    def accept_one(request: Request, drift_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        store.accept(caller, drift_id)
        return done(request, to=back_to(form, default=DRIFTS), text="It is left as it is, and told again only when its values change.")

    @router.get("/{reconciliation_id}", response_model=Report, response_class=HTMLResponse)
    def one(request: Request, reconciliation_id: UUID, caller: Caller = signed_in) -> Response:
        return render(request, caller, "reconciliation", {"report": store.report(caller, reconciliation_id)})

    @router.post("/{reconciliation_id}/repair")
    async def repair_found(request: Request, reconciliation_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        asked = wanted_from(form, RepairAsked, "kind")
        made = await run_in_threadpool(store.repair_found, caller, reconciliation_id, asked)
        parts.announce(made.by_system)
        return done(request, to=f"{PATH}/{reconciliation_id}", text=f"{made.count} jobs repair what was open.")

    return router


def differ(one: Reconciliation) -> int:
    """How many records did not agree."""
    return sum(one.counts.get(kind, 0) for kind in DriftKind)


def refuse_unknown(value: str, known: type[DriftStatus] | type[DriftKind]) -> None:
    if value and value not in list(known):
        raise NotFound(f"Drifts are filtered by one of {', '.join(known)}.")


def pages_of(path: str, chosen: Mapping[str, str], following: str | None, cursor: str) -> dict[str, object]:
    """What a list's template needs besides its rows."""
    return {
        "chosen": chosen,
        "workflows": sorted(COMPARISONS),
        "next": address(path, {**chosen, "cursor": following}) if following else None,
        "first": address(path, chosen) if cursor else None,
    }
