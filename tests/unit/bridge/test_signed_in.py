from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest
from fastapi import Request
from pydantic import SecretStr

from webhook_bridge.authenticators import STAFF_ADMIN
from webhook_bridge.identity import Identity, Proof
from webhook_bridge.problems import NotSignedIn
from webhook_bridge.signed_in import Caller, caller_of
from zixly_core.access import Membership, Role
from zixly_core.errors import NotAllowed, SettingsError
from zixly_core.settings import Settings, read_settings
from zixly_core.stores.jobs_view import Scope

USER, DEMO, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


def request(method: str = "GET", *, path: str = "/api/jobs", query: str = "", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "headers": raw, "query_string": query.encode()}
    return Request(scope | {"route": SimpleNamespace(path=path)})


def test_locally_everybody_is_staff() -> None:
    assert caller_of(Settings())(request()).scope.is_staff


def test_a_token_that_is_set_is_asked_for_locally_too() -> None:
    caller = caller_of(Settings(api_token=SecretStr("token")))
    assert caller(request(authorization="bearer token")).name == "api-token"
    for headers in ({}, {"authorization": "Bearer tokem"}, {"authorization": "Bearer "}, {"authorization": "token"}):
        with pytest.raises(NotSignedIn):
            caller(request(**headers))


def test_production_without_a_token_lets_nobody_in() -> None:
    with pytest.raises(NotSignedIn, match="ZIXLY_API_TOKEN"):
        caller_of(Settings(environment="production"))(request(authorization="Bearer "))


@pytest.mark.parametrize(("site", "is_allowed"), [("cross-site", False), ("same-site", False), ("same-origin", True), ("none", True)])
def test_pages_of_other_sites_change_nothing(site: str, is_allowed: bool) -> None:
    caller = caller_of(Settings())
    assert caller(request(sec_fetch_site=site))
    if is_allowed:
        assert caller(request("POST", sec_fetch_site=site))
    else:
        with pytest.raises(NotAllowed):
            caller(request("POST", sec_fetch_site=site))


def test_sign_in_is_asked_for_as_soon_as_there_is_something_to_prove() -> None:
    assert not Settings().asks_to_sign_in
    assert Settings(environment="production").asks_to_sign_in
    assert Settings(oidc_issuer="https://login.example.com").asks_to_sign_in
    assert Settings(sign_in="required").asks_to_sign_in
    with pytest.raises(NotSignedIn, match="ZIXLY_OIDC_ISSUER"):
        caller_of(Settings(sign_in="required"))(request())


def test_production_is_never_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_ENVIRONMENT", "production")
    monkeypatch.setenv("ZIXLY_SIGN_IN", "open")
    with pytest.raises(SettingsError, match=r"ZIXLY_SIGN_IN is wrong: .*would let everybody in"):
        read_settings()


class Knows:
    """Stands for one kind of proof: whoever sends a header `x-name` is that person."""

    def __init__(self, *memberships: Membership) -> None:
        self._memberships = memberships

    def identity(self, request: Request) -> Identity | None:
        name = request.headers.get("x-name")
        return Identity(name, Proof.SESSION, self._memberships, user_id=USER) if name else None


def test_the_first_proof_that_holds_names_the_caller() -> None:
    caller = caller_of(Settings(sign_in="required"), [Knows(STAFF_ADMIN), Knows()])
    assert caller(request(x_name="ada")) == Caller("ada", Scope(tenant_id=None), user_id=USER, memberships=(STAFF_ADMIN,))
    with pytest.raises(NotSignedIn):
        caller(request())


def test_the_membership_that_holds_decides_what_is_seen() -> None:
    memberships = (Membership(DEMO, "demo", Role.VIEWER), Membership(OTHER, "other", Role.EDITOR))
    caller = caller_of(Settings(sign_in="required"), [Knows(*memberships)])
    viewer = {"role": Role.VIEWER, "sees_payloads": False, "tenant": "demo", "memberships": memberships}
    assert caller(request(x_name="ada", zixly_tenant="demo")) == Caller("ada", Scope(tenant_id=DEMO), user_id=USER, **viewer)
    assert caller(request(x_name="ada", zixly_tenant="other")).sees_payloads
    for headers in ({}, {"zixly_tenant": "third"}):
        with pytest.raises(NotAllowed):
            caller(request(x_name="ada", **headers))


def test_somebody_of_several_clients_names_one_by_the_header_or_the_filter() -> None:
    ada = Knows(Membership(DEMO, "demo", Role.VIEWER), Membership(OTHER, "other", Role.EDITOR))
    caller = caller_of(Settings(sign_in="required"), [ada])
    assert caller(request(x_name="ada", query="tenant=other")).scope == Scope(tenant_id=OTHER)
    assert caller(request(x_name="ada", query="tenant=other", zixly_tenant="demo")).scope == Scope(tenant_id=DEMO)
    with pytest.raises(NotAllowed) as refused:
        caller(request(x_name="ada"))
    assert refused.value.reason == "name_the_tenant"


def test_in_the_console_somebody_of_several_clients_goes_on_where_he_was() -> None:
    ada = Knows(Membership(OTHER, "other", Role.EDITOR), Membership(DEMO, "demo", Role.VIEWER))
    caller = caller_of(Settings(sign_in="required"), [ada])

    def at(query: str = "", cookie: str = "") -> UUID | None:
        return caller(request(x_name="ada", path="/console/jobs", query=query, cookie=cookie)).scope.tenant_id

    assert at() == DEMO
    assert at(cookie="zixly-tenant=other") == OTHER
    assert at(cookie="zixly-tenant=third") == DEMO
    assert at("tenant=demo", "__Host-zixly-tenant=other") == DEMO
    with pytest.raises(NotAllowed):
        at("tenant=third")


def test_a_filter_moves_nobody_to_a_client_that_is_not_theirs() -> None:
    caller = caller_of(Settings(sign_in="required"), [Knows(Membership(DEMO, "demo", Role.VIEWER))])
    assert caller(request(x_name="ada", query="tenant=other")).scope == Scope(tenant_id=DEMO)
    with pytest.raises(NotAllowed):
        caller(request(x_name="ada", zixly_tenant="other"))


def test_the_greater_of_two_roles_holds_at_the_client_that_staff_name() -> None:
    ada = Knows(Membership(None, None, Role.VIEWER), Membership(DEMO, "demo", Role.ADMIN), Membership(OTHER, "other", Role.VIEWER))
    caller = caller_of(Settings(sign_in="required"), [ada])
    at_demo, at_other = (caller(request(x_name="ada", zixly_tenant=slug)) for slug in ("demo", "other"))
    assert (at_demo.scope, at_demo.role) == (Scope(tenant_id=DEMO), Role.ADMIN)
    assert (at_other.scope, at_other.role) == (Scope(tenant_id=None), Role.VIEWER)


def test_the_role_is_held_against_the_route() -> None:
    caller = caller_of(Settings(sign_in="required"), [Knows(Membership(DEMO, "demo", Role.VIEWER))])
    assert caller(request(x_name="ada")).role == Role.VIEWER
    with pytest.raises(NotAllowed) as refused:
        caller(request("POST", x_name="ada"))
    assert refused.value.reason == "role_too_small"
