"""`/console/notifications`: who is told of what, whether it gets there, and what was told."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from webhook_bridge.console.asked import Text
from webhook_bridge.console.filled import wanted_from
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.forms import OwnForm
from webhook_bridge.notifications_api import Channels, LineFilter
from webhook_bridge.notifications_models import ChannelChange, ChannelList, NewChannel
from webhook_bridge.signed_in import Caller

PATH = "/console/notifications"
WANTS = ("opened", "reminder", "resolved")


def notifications_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(prefix=PATH, include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    channels = Channels(parts.api, parts.box, parts.settings)

    @router.get("", response_model=ChannelList, response_class=HTMLResponse)
    def every(request: Request, tenant: Text = "", caller: Caller = signed_in) -> Response:
        named = tenant.strip() or None
        found = channels.seen(caller, tenant=named).channels
        lines = channels.lines(caller, LineFilter(tenant=named)).notifications
        return render(request, caller, "notifications", {"channels": found, "lines": lines, "tenant": named, "wants": WANTS})

    @router.post("")
    def add(request: Request, form: OwnForm, caller: Caller = signed_in) -> Response:
        told_of = [want for want in WANTS if f"wants_{want}" in form]
        made = channels.add(caller, wanted_from(form, NewChannel, "tenant", "kind", "name", "target", "digest_at", wants=told_of))
        return done(request, to=PATH, text=f"{made.name} is set up. Test it: the list below tells whether the message got there.")

    @router.post("/{channel_id}/test")
    def test(request: Request, channel_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        channels.test(caller, channel_id)
        return done(request, to=PATH, text="A message is on its way; the list below tells how it went.")

    @router.post("/{channel_id}/hold")
    def hold(request: Request, channel_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        is_paused = form.get("paused") == "yes"
        channels.change(caller, channel_id, ChannelChange(is_paused=is_paused))
        return done(request, to=PATH, text="It gets nothing until it goes on." if is_paused else "It goes on.")

    @router.post("/{channel_id}/remove")
    def remove(request: Request, channel_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        return done(request, to=PATH, text=f"{channels.remove(caller, channel_id).name} is removed, and its address forgotten.")

    return router
