"""`/console/connections`: what is connected, how well, and what a person can do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from webhook_bridge.connections_api import Connections, NewConsent
from webhook_bridge.console.asked import Text
from webhook_bridge.console.filled import filled, wanted_from
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.console.settings_form import fields_of, settings_in
from webhook_bridge.forms import OwnForm
from webhook_bridge.problems import NotFound, status_of
from webhook_bridge.signed_in import Caller
from webhook_bridge.subscriptions_api import NewSubscription, Subscriptions
from webhook_bridge.watching_api import Watching
from zixly_core.connection_settings import InvalidSettings
from zixly_core.consents import VENDORS
from zixly_core.errors import MalformedPayload
from zixly_core.stores.holes import HoleFilter
from zixly_core.stores.watching import WATCHED

PATH = "/console/connections"
MOST_HOLES = 200


@dataclass(frozen=True)
class ConnectionPages:
    """What the pages show, by the API's own functions."""

    connections: Connections
    watching: Watching
    subscriptions: Subscriptions

    def every(self, caller: Caller, *, tenant: str | None, system: str | None) -> dict[str, object]:
        found = self.connections.seen(caller, tenant=tenant, system=system).connections
        holes = self.watching.holes(caller, HoleFilter(status="OPEN"), limit=MOST_HOLES).holes
        return {
            "connections": found,
            "holes": Counter(hole.connection_id for hole in holes),
            "health": Counter(one.health for one in found),
            "tenant": tenant,
            "system": system,
            "systems": sorted(VENDORS),
        }

    def one(self, caller: Caller, connection_id: UUID) -> dict[str, object]:
        connection = self.connections.one(caller, connection_id)
        return {
            "connection": connection,
            "checks": self.watching.checks(caller, connection_id).checks,
            "holes": self.watching.holes(caller, HoleFilter(connection_id=connection_id)).holes,
            "subscriptions": self.subscriptions.of(caller, connection_id).subscriptions,
            "can_reconnect": connection.system in VENDORS,
            "is_watched": connection.system in WATCHED,
            "fields": fields_of(connection.system),
            "settings": as_text(connection.settings),
            "wrong": None,
        }


def connections_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(prefix=PATH, include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    connections = Connections(parts.api, parts.connecting, parts.settings.bridge_public_url.rstrip("/"))
    pages = ConnectionPages(connections, Watching(parts.api), Subscriptions(parts.api))

    @router.get("")
    def every(request: Request, tenant: Text = "", system: Text = "", caller: Caller = signed_in) -> Response:
        return render(request, caller, "connections", pages.every(caller, tenant=tenant or None, system=system or None))

    @router.post("/connect")
    def connect(form: OwnForm, caller: Caller = signed_in) -> Response:
        system = filled(form, "system") or ""
        if system not in VENDORS:
            raise NotFound(f"There is no system {system[:40]!r} whose accounts are connected.")
        return to_consent(connections, caller, system, wanted_from(form, NewConsent, "tenant", "account"))

    @router.get("/{connection_id}")
    def one(request: Request, connection_id: UUID, caller: Caller = signed_in) -> Response:
        return render(request, caller, "connection", pages.one(caller, connection_id))

    @router.post("/{connection_id}/reconnect")
    def reconnect(connection_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        known = connections.one(caller, connection_id)
        return to_consent(connections, caller, known.system, NewConsent(connection_id=connection_id))

    @router.post("/{connection_id}/check")
    def check(request: Request, connection_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        pages.watching.check(caller, connection_id)
        text = "A worker looks at its webhooks within seconds, and makes lost ones again. Load the page again to see what it found."
        return done(request, to=f"{PATH}/{connection_id}", text=text)

    @router.post("/{connection_id}/subscriptions")
    def subscribe(request: Request, connection_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        wished = pages.subscriptions.wish(caller, connection_id, wanted_from(form, NewSubscription, "resource"))
        return done(request, to=f"{PATH}/{connection_id}", text=f"The webhook is {wished.status}; a worker makes it within seconds.")

    @router.post("/{connection_id}/settings")
    def settings(request: Request, connection_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        text = form.get("settings", "")
        try:
            connections.change_settings(caller, connection_id, settings_in(text))
        except (InvalidSettings, MalformedPayload) as error:
            again = pages.one(caller, connection_id) | {"settings": text, "wrong": str(error)}
            return render(request, caller, "connection", again, status=status_of(error))
        return done(request, to=f"{PATH}/{connection_id}", text="The settings are saved; they hold for the next job.")

    return router


def to_consent(connections: Connections, caller: Caller, system: str, wanted: NewConsent) -> Response:
    """On to the page from which the vendor is asked; its link is good once."""
    return RedirectResponse(connections.invite(caller, system, wanted).link or PATH, status_code=303)


def as_text(settings: Mapping[str, Any]) -> str:
    return orjson.dumps(settings, option=orjson.OPT_INDENT_2).decode()
