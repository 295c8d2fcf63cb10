"""`/console/searches`: events by a value in their payloads, to be replayed. The value is in no address and kept nowhere."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from webhook_bridge.console.filled import checked
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.forms import OwnForm
from webhook_bridge.replay_models import NewSearch
from webhook_bridge.searches_api import Searches
from webhook_bridge.signed_in import Caller

PATH = "/console/searches"


def searches_pages_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    searches = Searches(parts.api)

    @router.get(PATH)
    def new(request: Request, caller: Caller = signed_in) -> Response:
        return render(request, caller, "searches", {})

    @router.post(PATH)
    def search(*, request: Request, caller: Caller = signed_in, form: OwnForm) -> Response:
        found = searches.make(caller, checked(NewSearch, {"tenant": caller.tenant or "", **form}))
        return done(request, to=f"{PATH}/{found.id}", text=f"{found.found} events were found.")

    @router.get(f"{PATH}/{{search_id}}")
    def one(request: Request, search_id: UUID, caller: Caller = signed_in) -> Response:
        return render(request, caller, "search", {"search": searches.kept(caller, search_id)})

    return router
