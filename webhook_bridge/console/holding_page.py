"""`/console/holding`: what is paused, by whom and why, and who goes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import get_args

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from webhook_bridge.console.filled import back_to, filled, wanted_from
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.forms import OwnForm
from webhook_bridge.pauses_api import FOR_ALL, Pauses
from webhook_bridge.pauses_models import NewPause, NewPriority
from webhook_bridge.priorities_api import Priorities
from webhook_bridge.signed_in import Caller
from zixly_core.stores.pauses import PausedKind
from zixly_core.stores.priorities import PRIORITIES

PATH = "/console/holding"


def holding_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(prefix=PATH, include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    pauses, priorities = Pauses(parts.api), Priorities(parts.api)

    @router.get("")
    def holding(request: Request, caller: Caller = signed_in) -> Response:
        values = {
            "pauses": pauses.seen(caller).pauses,
            "priorities": priorities.seen(caller).priorities,
            "kinds": kinds_for(caller),
            "for_all": FOR_ALL,
            "names": list(PRIORITIES),
        }
        return render(request, caller, "holding", values)

    @router.post("/pause")
    def hold(request: Request, form: OwnForm, caller: Caller = signed_in) -> Response:
        wanted = wanted_from(form, NewPause, "what", "name", "reason", until=end_in(form.get("until", "")))
        pauses.hold(caller, wanted)
        text = f"The {wanted.what} {wanted.name} is paused: deliveries are still received, and its jobs wait in their order."
        return done(request, to=back_to(form, default=PATH), text=text)

    @router.post("/resume")
    def let_go(request: Request, form: OwnForm, caller: Caller = signed_in) -> Response:
        wanted = wanted_from(form, NewPause, "what", "name")
        resumed = pauses.let_go(caller, what=wanted.what, name=wanted.name).resumed
        text = f"The {wanted.what} {wanted.name} goes on." if resumed else f"The {wanted.what} {wanted.name} was not paused."
        return done(request, to=back_to(form, default=PATH), text=text)

    @router.post("/priority")
    async def choose(request: Request, form: OwnForm, caller: Caller = signed_in) -> Response:
        wanted, workflow, tenant = (
            wanted_from(form, NewPriority, priority=filled(form, "priority")),
            filled(form, "workflow"),
            filled(form, "tenant"),
        )
        if workflow is None and tenant is None:
            raise RequestValidationError([{"loc": ("workflow",), "msg": "name a workflow, a tenant, or both"}])
        chosen = await run_in_threadpool(priorities.choose, caller, wanted, workflow=workflow, tenant=tenant)
        parts.announce(chosen.wake)
        return done(request, to=PATH, text=f"The priority is chosen; {chosen.jobs} waiting jobs took it.")

    return router


def kinds_for(caller: Caller) -> Sequence[str]:
    """What somebody may pause: systems and workflows are everybody's, so they are for staff."""
    return [kind for kind in get_args(PausedKind) if caller.scope.is_staff or kind not in FOR_ALL]


def end_in(text: str) -> datetime | None:
    """A field of a browser for a day and a time, in UTC; None where it was left empty."""
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    except ValueError:
        raise RequestValidationError([{"loc": ("until",), "msg": "a day and a time in UTC, such as 2026-11-30T06:30"}]) from None
