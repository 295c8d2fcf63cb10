"""`/api/tenants`: client companies, their data handed out, and their erasure. Changes are for staff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from webhook_bridge.problems import NotFound, WrongState, problems
from webhook_bridge.signed_in import Caller
from webhook_bridge.tenants_models import ErasureWanted, Export, NewTenant, Tenant, TenantChange, TenantList
from zixly_core.errors import Rejected
from zixly_core.kept_payloads import Objects
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.tenants import (
    NoSuchTenant,
    TenantExists,
    add_tenant,
    ask_erasure,
    ask_export,
    begin_fetching,
    export_view,
    set_tenant,
    tenant_view,
    tenant_views,
)
from zixly_core.tenant_export import zipped

# What stands in the place of a short name in the API's addresses.
TAKEN_BY_ROUTES = frozenset({"export"})


@dataclass(frozen=True)
class Tenants:
    """Client companies, for callers of the API; `database` is seen as role `api`."""

    database: Database
    objects: Objects

    def seen(self, caller: Caller) -> TenantList:
        with scoped(self.database, caller.scope) as rows:
            return TenantList.model_validate({"tenants": tenant_views(rows)})

    def one(self, caller: Caller, slug: str) -> Tenant:
        with scoped(self.database, caller.scope) as rows:
            return Tenant.model_validate(found(lambda: tenant_view(rows, slug)))

    def add(self, caller: Caller, wanted: NewTenant) -> Tenant:
        if wanted.slug in TAKEN_BY_ROUTES:
            raise TenantExists(f"{wanted.slug!r} is a word of the API's own; choose another short name.")
        with scoped(self.database, caller.scope) as rows:
            add_tenant(rows, slug=wanted.slug, name=wanted.name, time_zone=wanted.time_zone, actor=caller.name)
            return Tenant.model_validate(tenant_view(rows, wanted.slug))

    def change(self, caller: Caller, slug: str, wanted: TenantChange) -> Tenant:
        with scoped(self.database, caller.scope) as rows:
            found(lambda: set_tenant(rows, slug, name=wanted.name, time_zone=wanted.time_zone, actor=caller.name))
            return Tenant.model_validate(tenant_view(rows, slug))

    def ask_export(self, caller: Caller, slug: str) -> Export:
        with scoped(self.database, caller.scope) as rows:
            export_id = found(lambda: ask_export(rows, slug, actor=caller.name))
            return Export.model_validate(export_view(rows, slug, export_id))

    def export(self, caller: Caller, slug: str, export_id: UUID) -> Export:
        with scoped(self.database, caller.scope) as rows:
            row = export_view(rows, slug, export_id)
        if row is None:
            raise no_such_export(slug, export_id)
        return Export.model_validate(row)

    def fetch(self, caller: Caller, slug: str, export_id: UUID) -> StreamingResponse:
        store = self.objects()
        with scoped(self.database, caller.scope) as rows:
            row = export_view(rows, slug, export_id)
            tenant_id = begin_fetching(rows, slug, export_id, actor=caller.name) if row else None
        if row is None:
            raise no_such_export(slug, export_id)
        if tenant_id is None:
            raise WrongState(f"Export {export_id} is {row['status']}: it can be fetched once, when it is READY.")
        headers = {"content-disposition": f'attachment; filename="{slug}.zip"'}
        return StreamingResponse(zipped(store, tenant_id=tenant_id, export_id=export_id), media_type="application/zip", headers=headers)

    def erase(self, caller: Caller, slug: str, wanted: ErasureWanted) -> Tenant:
        if wanted.confirm != slug:
            raise Rejected(f"`confirm` is not {slug}; nothing was changed.", reason="not_confirmed")
        with scoped(self.database, caller.scope) as rows:
            found(lambda: ask_erasure(rows, slug, actor=caller.name))
            return Tenant.model_validate(tenant_view(rows, slug))


def tenants_routes(database: Database, *, objects: Objects, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(tags=["tenants"])
    signed_in = Depends(caller_of)
    clients = Tenants(database, objects)

    @router.get("/api/tenants", responses=problems(401, 503))
    def tenants(caller: Caller = signed_in) -> TenantList:
        """Client companies, by short name."""
        return clients.seen(caller)

    @router.get("/api/tenants/{slug}", responses=problems(401, 404, 503))
    def tenant(slug: str, caller: Caller = signed_in) -> Tenant:
        """One client company."""
        return clients.one(caller, slug)

    @router.post("/api/tenants", status_code=201, responses=problems(400, 401, 403, 422, 503))
    def add(wanted: NewTenant, caller: Caller = signed_in) -> Tenant:
        """Add a client company; its accounts are connected next."""
        return clients.add(caller, wanted)

    @router.patch("/api/tenants/{slug}", responses=problems(400, 401, 403, 404, 422, 503))
    def change(slug: str, wanted: TenantChange, caller: Caller = signed_in) -> Tenant:
        """Change a client company's name or time zone; its days begin and end there."""
        return clients.change(caller, slug, wanted)

    @router.post("/api/tenants/{slug}/exports", status_code=202, responses=problems(400, 401, 403, 404, 503))
    def export(slug: str, caller: Caller = signed_in) -> Export:
        """Ask for everything that is held for a client; a worker puts it together within minutes."""
        return clients.ask_export(caller, slug)

    @router.get("/api/tenants/{slug}/exports/{export_id}", responses=problems(401, 403, 404, 422, 503))
    def export_status(slug: str, export_id: UUID, caller: Caller = signed_in) -> Export:
        """How far an export is."""
        return clients.export(caller, slug, export_id)

    @router.post(
        "/api/tenants/{slug}/exports/{export_id}/fetch", response_class=StreamingResponse, responses=problems(401, 403, 404, 409, 422, 503)
    )
    def fetch(slug: str, export_id: UUID, caller: Caller = signed_in) -> StreamingResponse:
        """The export as a zip: JSON lines for each table, and documents. It can be fetched once; what breaks off is asked for anew."""
        return clients.fetch(caller, slug, export_id)

    @router.post("/api/tenants/{slug}/erasure", status_code=202, responses=problems(400, 401, 403, 404, 422, 503))
    def erase(slug: str, wanted: ErasureWanted, caller: Caller = signed_in) -> Tenant:
        """Stop a client's work and erase it: tokens, payloads, documents, archives, people. Ids and counts stay. It cannot be undone."""
        return clients.erase(caller, slug, wanted)

    return router


Found = TypeVar("Found")


def found(ask: Callable[[], Found]) -> Found:
    """What was asked for. Raises `NotFound` where there is no such tenant."""
    try:
        return ask()
    except NoSuchTenant as error:
        raise NotFound(str(error)) from None


def no_such_export(slug: str, export_id: UUID) -> NotFound:
    return NotFound(f"There is no export {export_id} of client {slug[:60]}.")
