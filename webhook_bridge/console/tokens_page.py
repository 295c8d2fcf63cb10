"""`/console/tokens`: tokens for programs; a new one is shown once."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from webhook_bridge.console.asked import Text
from webhook_bridge.console.filled import filled, wanted_from
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.forms import OwnForm
from webhook_bridge.signed_in import Caller
from webhook_bridge.tokens_api import Tokens
from webhook_bridge.tokens_models import NewToken
from zixly_core.access import Role, TokenScope
from zixly_core.machine_tokens import DEFAULT_DAYS, MOST_DAYS

PATH = "/console/tokens"


def tokens_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(prefix=PATH, include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    every = Tokens(parts.api)

    @router.get("")
    def tokens(request: Request, tenant: Text = "", caller: Caller = signed_in) -> Response:
        found = every.seen(caller, tenant=tenant.strip() or None).tokens
        choices = {"roles": list(Role), "scopes": list(TokenScope), "days": DEFAULT_DAYS, "most_days": MOST_DAYS}
        return render(request, caller, "tokens", {"tokens": found, "tenant": tenant.strip(), **choices})

    @router.post("")
    def make(request: Request, form: OwnForm, caller: Caller = signed_in) -> Response:
        """The answer is the page itself: a secret does not travel in an address or a cookie."""
        scope = filled(form, "scope")
        sees = "sees_payloads" in form
        wanted = wanted_from(form, NewToken, "name", "tenant", "role", "days", scopes=[scope] if scope else [], sees_payloads=sees)
        return render(request, caller, "token_made", {"token": every.make(caller, wanted)}, status=201)

    @router.post("/{token_id}/revoke")
    def revoke(request: Request, token_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        ended = every.revoke(caller, token_id).tokens_ended
        text = f"{ended} tokens ended." if ended else "It had ended before."
        return done(request, to=PATH, text=text)

    return router
