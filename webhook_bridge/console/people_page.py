"""`/console/people`: who is a member of what, and what he may do there."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from webhook_bridge.console.asked import Text
from webhook_bridge.console.filled import checked, filled, wanted_from
from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.said import done
from webhook_bridge.forms import OwnForm
from webhook_bridge.people_api import People
from webhook_bridge.people_models import MembershipChange, NewMembership, NewPerson
from webhook_bridge.signed_in import Caller
from zixly_core.access import Role

PATH = "/console/people"


def people_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(prefix=PATH, include_in_schema=False)
    signed_in = Depends(parts.caller_of)
    everybody = People(parts.api)

    @router.get("")
    def people(request: Request, tenant: Text = "", caller: Caller = signed_in) -> Response:
        found = everybody.seen(caller, tenant=tenant.strip() or None).people
        return render(request, caller, "people", {"people": found, "tenant": tenant.strip(), "roles": list(Role)})

    @router.post("")
    def invite(request: Request, form: OwnForm, caller: Caller = signed_in) -> Response:
        wanted = wanted_from(form, NewPerson, "email", "name", "tenant", "role", sees_payloads="sees_payloads" in form)
        person = everybody.invite(caller, wanted)
        text = f"{person.name} is a member now. Nothing was sent: whoever signs in with the address has the role."
        return done(request, to=f"{PATH}/{person.id}", text=text)

    @router.get("/{person_id}")
    def one(request: Request, person_id: UUID, caller: Caller = signed_in) -> Response:
        return render(request, caller, "person", {"person": everybody.one(caller, person_id), "roles": list(Role)})

    @router.post("/{person_id}/give")
    def give(request: Request, person_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        wanted = wanted_from(form, NewMembership, "tenant", "role", sees_payloads="sees_payloads" in form)
        everybody.give(caller, person_id, wanted)
        return done(request, to=f"{PATH}/{person_id}", text="The membership is given.")

    @router.post("/{person_id}/change")
    def change(request: Request, person_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        wanted = checked(MembershipChange, {"role": filled(form, "role"), "sees_payloads": "sees_payloads" in form})
        ended = everybody.change(caller, person_id, wanted, at=place_in(form)).tokens_ended
        return done(request, to=f"{PATH}/{person_id}", text=f"The membership is changed, from the next request on.{tokens(ended)}")

    @router.post("/{person_id}/take")
    def take(request: Request, person_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        ended = everybody.take(caller, person_id, at=place_in(form)).tokens_ended
        return done(request, to=PATH, text=f"The membership is ended.{tokens(ended)}")

    @router.post("/{person_id}/remove")
    def remove(request: Request, person_id: UUID, form: OwnForm, caller: Caller = signed_in) -> Response:
        ended = everybody.remove(caller, person_id).tokens_ended
        return done(request, to=PATH, text=f"The person is removed.{tokens(ended)}")

    return router


def place_in(form: Mapping[str, str]) -> str | None:
    """Where the membership is; None: at the agency, which has to be said."""
    if "at" not in form:
        raise RequestValidationError([{"loc": ("at",), "msg": "say whose membership is meant: a tenant's, or empty for the agency's"}])
    return filled(form, "at")


def tokens(ended: int) -> str:
    return f" {ended} tokens ended with it." if ended else ""
