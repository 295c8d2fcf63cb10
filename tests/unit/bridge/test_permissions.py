from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from fastapi import Depends, FastAPI, Request
from pydantic import SecretStr

from docs.make_access import PAGE, page_of_today
from webhook_bridge.app import create_app, parts_from
from webhook_bridge.guarding import RouteUnguarded, Served, check_guarded, served_routes
from webhook_bridge.payload_fields import payload_fields
from webhook_bridge.permissions import ROUTES, Need, Payloads, need_of, permit
from zixly_core.access import Membership, Role, TokenScope
from zixly_core.errors import NotAllowed
from zixly_core.ids import new_id
from zixly_core.settings import Settings

STAFF = {role: Membership(None, None, role) for role in Role}
CLIENT = {role: Membership(new_id(), "demo", role) for role in Role}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    url = SecretStr("postgresql://nobody@127.0.0.1:1/none")
    settings = Settings(database_url_intake=url, database_url_api=url, database_url_metrics=url, queue_url=SecretStr("memory://"))
    return create_app(settings, replace(parts_from(settings), queues={}))


@pytest.fixture(scope="module")
def served(app: FastAPI) -> list[Served]:
    return list(served_routes(app))


def test_the_table_lists_each_route_that_is_served_and_no_other(served: list[Served]) -> None:
    assert {(one.method, one.template) for one in served} == set(ROUTES)


def test_the_page_shows_the_table_that_is_enforced() -> None:
    assert PAGE.read_text() == page_of_today(), "run docs/make_access.py"


def test_a_route_whose_answer_holds_payloads_for_viewers_says_that_they_are_hidden(served: list[Served]) -> None:
    for one in served:
        need = ROUTES[one.method, one.template]
        if need.role is Role.VIEWER and need.payloads is not Payloads.NEEDED:
            assert (need.payloads is Payloads.HIDDEN) == bool(payload_fields(one.answer)), f"{one.method} {one.template}"


def caller(_request: Request) -> str:
    return "somebody"


def serving(add: Callable[[FastAPI], object]) -> FastAPI:
    app = FastAPI(openapi_url=None)
    add(app)
    return app


def nothing() -> None:
    """Answers."""


UNGUARDED: list[Callable[[FastAPI], object]] = [
    lambda app: app.add_api_route("/api/unheard-of", nothing, dependencies=[Depends(caller)]),
    lambda app: app.add_api_route("/api/jobs", nothing),
    lambda app: app.mount("/files", FastAPI()),
]


@pytest.mark.parametrize("add", UNGUARDED)
def test_a_bridge_with_a_route_that_nobody_guards_does_not_start(add: Callable[[FastAPI], object]) -> None:
    with pytest.raises(RouteUnguarded):
        check_guarded(serving(add), caller)


def test_a_guarded_route_and_a_public_one_are_well() -> None:
    check_guarded(serving(lambda app: app.add_api_route("/api/jobs", nothing, dependencies=[Depends(caller)])), caller)
    check_guarded(serving(lambda app: app.add_api_route("/health", nothing)), caller)


def test_a_route_without_a_line_is_refused() -> None:
    for path in ("/api/unheard-of", None):
        scope = {"type": "http", "method": "GET", "headers": [], "route": SimpleNamespace(path=path)}
        with pytest.raises(NotAllowed) as refused:
            need_of(Request(scope))
        assert refused.value.reason == "route_unlisted"


def is_allowed(need: Need, membership: Membership, *, method: str = "GET", scopes: frozenset[str] | None = None) -> bool:
    try:
        permit(method, need, membership=membership, scopes=scopes)
    except NotAllowed:
        return False
    return True


@pytest.mark.parametrize(
    ("least", "allowed"),
    [
        (None, list(Role)),
        (Role.VIEWER, [Role.VIEWER, Role.EDITOR, Role.ADMIN]),
        (Role.EDITOR, [Role.EDITOR, Role.ADMIN]),
        (Role.ADMIN, [Role.ADMIN]),
    ],
)
def test_a_role_may_what_those_before_it_may(least: Role | None, allowed: list[Role]) -> None:
    assert [role for role in Role if is_allowed(Need(least), CLIENT[role])] == allowed


def test_what_is_for_staff_is_refused_to_an_administrator_of_a_client() -> None:
    need = Need(Role.VIEWER, is_for_staff=True)
    assert is_allowed(need, STAFF[Role.VIEWER])
    assert not is_allowed(need, CLIENT[Role.ADMIN])


def test_payloads_take_the_role_or_a_grant_to_the_person() -> None:
    need = Need(Role.VIEWER, payloads=Payloads.NEEDED)
    assert not is_allowed(need, CLIENT[Role.VIEWER])
    assert is_allowed(need, replace(CLIENT[Role.VIEWER], sees_payloads=True))
    assert is_allowed(need, CLIENT[Role.EDITOR])


@pytest.mark.parametrize(
    ("scope", "looks", "makes", "pauses", "lists_issues"),
    [
        (TokenScope.JOBS_READ, True, False, False, False),
        (TokenScope.JOBS_WRITE, False, True, False, False),
        (TokenScope.READ, True, False, False, True),
        (TokenScope.ALL, True, True, True, True),
    ],
)
def test_a_token_does_what_its_scopes_say(scope: TokenScope, looks: bool, makes: bool, pauses: bool, lists_issues: bool) -> None:
    def may(method: str, path: str) -> bool:
        return is_allowed(ROUTES[method, path], STAFF[Role.ADMIN], method=method, scopes=frozenset({scope}))

    routes = [("GET", "/api/jobs"), ("POST", "/api/jobs"), ("POST", "/api/pauses"), ("GET", "/api/issues")]
    assert [may(*route) for route in routes] == [looks, makes, pauses, lists_issues]


def test_a_scope_gives_no_more_than_the_role() -> None:
    scopes: frozenset[str] = frozenset({TokenScope.ALL})
    assert not is_allowed(ROUTES["POST", "/api/jobs"], CLIENT[Role.VIEWER], method="POST", scopes=scopes)
