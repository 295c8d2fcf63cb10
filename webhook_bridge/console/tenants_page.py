"""`/console/tenants`: client companies, each on a page of its own; their data handed out, and their erasure, which is said twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from webhook_bridge.connections_api import Connections
from webhook_bridge.console.filled import wanted_from
from webhook_bridge.console.frame import may
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.forms import OwnForm
from webhook_bridge.pauses_api import Pauses
from webhook_bridge.people_api import People
from webhook_bridge.signed_in import Caller
from webhook_bridge.tenants_api import Tenants
from webhook_bridge.tenants_models import ErasureWanted, NewTenant, TenantChange
from zixly_core.stores.issues_view import IssueFilter, issues_page
from zixly_core.stores.jobs_view import Page, scoped
from zixly_core.stores.ledger_view import LedgerWanted, ledger_view

PATH = "/console/tenants"
A_DAY = timedelta(hours=24)
SHOWN_ISSUES = 20


@dataclass(frozen=True)
class TenantPages:
    """What the pages show, by the API's own functions."""

    parts: ConsoleParts
    tenants: Tenants

    def one(self, caller: Caller, slug: str) -> dict[str, object]:
        parts = self.parts
        connections = Connections(parts.api, parts.connecting, parts.settings.bridge_public_url.rstrip("/"))
        sees_people = may(caller, "GET", "/console/people")
        with scoped(parts.api, caller.scope) as rows:
            issues = issues_page(rows, IssueFilter(tenant=slug, status="OPEN"), page=Page(limit=SHOWN_ISSUES))
        return {
            "tenant": self.tenants.one(caller, slug),
            "pause": next((one for one in Pauses(parts.api).seen(caller).pauses if (one.kind, one.name) == ("tenant", slug)), None),
            "connections": connections.seen(caller, tenant=slug).connections,
            "jobs": self.jobs(caller, slug),
            "issues": issues,
            "people": People(parts.api).seen(caller, tenant=slug).people if sees_people else None,
        }

    def jobs(self, caller: Caller, slug: str) -> Counter[str]:
        """Those made within a day, by how they stand."""
        now = datetime.now(UTC)
        wanted = LedgerWanted(since=now - A_DAY, until=now, tenant=slug)
        with scoped(self.parts.api, caller.scope) as rows:
            hours = ledger_view(rows, wanted, is_staff=False).jobs
        counted: Counter[str] = Counter()
        for hour in hours:
            counted.update(made=hour.made, completed=hour.completed, failed=hour.failed, cancelled=hour.cancelled, open=hour.open)
        return counted


def tenants_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(prefix=PATH, include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    tenants = Tenants(parts.api, parts.objects)
    pages = TenantPages(parts, tenants)

    @router.get("")
    def every(request: Request, caller: Caller = signed_in) -> Response:
        return render(request, caller, "tenants", {"tenants": tenants.seen(caller).tenants})

    @router.post("")
    def add(request: Request, form: OwnForm, caller: Caller = signed_in) -> Response:
        made = tenants.add(caller, wanted_from(form, NewTenant, "slug", "name", "time_zone"))
        return done(request, to=f"{PATH}/{made.slug}", text=f"{made.name} is added. Connect its accounts next.")

    @router.get("/{slug}")
    def one(request: Request, slug: str, caller: Caller = signed_in) -> Response:
        return render(request, caller, "tenant", pages.one(caller, slug))

    @router.post("/{slug}")
    def change(request: Request, slug: str, form: OwnForm, caller: Caller = signed_in) -> Response:
        tenants.change(caller, slug, wanted_from(form, TenantChange, "name", "time_zone"))
        return done(request, to=f"{PATH}/{slug}", text="The change is saved.")

    @router.get("/{slug}/erasure")
    def before_erasure(request: Request, slug: str, caller: Caller = signed_in) -> Response:
        return render(request, caller, "tenant_erasure", {"tenant": tenants.one(caller, slug)})

    @router.post("/{slug}/erasure")
    def erase(request: Request, slug: str, form: OwnForm, caller: Caller = signed_in) -> Response:
        tenants.erase(caller, slug, wanted_from(form, ErasureWanted, "confirm"))
        text = "Its work is stopped; a worker erases it within minutes. This page then says what is left to do at the vendors."
        return done(request, to=f"{PATH}/{slug}", text=text)

    @router.post("/{slug}/exports")
    def export(request: Request, slug: str, form: OwnForm, caller: Caller = signed_in) -> Response:
        return done(request, to=f"{PATH}/{slug}/exports/{tenants.ask_export(caller, slug).id}", text="A worker puts the export together.")

    @router.get("/{slug}/exports/{export_id}")
    def export_status(request: Request, slug: str, export_id: UUID, caller: Caller = signed_in) -> Response:
        values = {"tenant": tenants.one(caller, slug), "export": tenants.export(caller, slug, export_id)}
        return render(request, caller, "tenant_export", values)

    @router.post("/{slug}/exports/{export_id}/fetch")
    def fetch(slug: str, export_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        return tenants.fetch(caller, slug, export_id)

    return router
