"""What the bridge tells the gateway about a request for Dagster, Grafana or Prometheus."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from fastapi import Request
from starlette.responses import Response
from structlog.testing import capture_logs

from webhook_bridge.gateway_verdict import judge_of
from webhook_bridge.problems import NotSignedIn
from webhook_bridge.signed_in import Caller
from zixly_core.access import Role, TokenScope
from zixly_core.errors import NotAllowed
from zixly_core.requester import Requester, requested_by
from zixly_core.stores.jobs_view import Scope

HOST = {"x-forwarded-proto": "https", "x-forwarded-host": "ops.zixly.example"}
STAFF = Caller("user:0191d7c2-7f4a-7c55-9b1e-3a1f5c0e2b11", Scope(tenant_id=None), role=Role.EDITOR)
MEMBER = Caller("user:0191d7c2-7f4a-7c55-9b1e-3a1f5c0e2b12", Scope(tenant_id=UUID(int=7)), role=Role.ADMIN)


def verdict(caller: Caller | Exception = STAFF, **headers: str) -> Response:
    """The answer to the gateway's question, whose headers these are."""
    given = {**HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]

    def caller_of(_request: Request) -> Caller:
        if isinstance(caller, Exception):
            raise caller
        return caller

    return judge_of(caller_of)(Request({"type": "http", "method": "GET", "headers": raw}))


def test_staff_pass_with_their_name_and_role() -> None:
    answer = verdict()
    assert (answer.status_code, answer.headers["x-zixly-user"], answer.headers["x-zixly-role"]) == (200, STAFF.name, "EDITOR")


def test_a_name_that_is_none_of_ours_goes_into_no_header() -> None:
    assert verdict(Caller("kim@zixly.example", Scope(tenant_id=None))).headers["x-zixly-user"] == "unnamed"


def test_a_token_narrowed_to_reading_is_a_viewers_behind_the_gateway() -> None:
    """The question is a GET, which its scope allows; what it would change behind is not."""
    narrowed = replace(STAFF, role=Role.ADMIN, scopes=frozenset({TokenScope.READ}))
    assert verdict(narrowed).headers["x-zixly-role"] == "VIEWER"
    assert verdict(replace(narrowed, scopes=frozenset({TokenScope.ALL}))).headers["x-zixly-role"] == "ADMIN"


def test_a_tenants_own_administrator_does_not_see_the_others_and_the_log_says_so() -> None:
    with capture_logs() as lines, requested_by(Requester(user_id=UUID(int=3))):
        answer = verdict(MEMBER, x_forwarded_uri="/dagster/runs?token=secret", x_forwarded_method="GET")
    assert (answer.status_code, answer.headers["x-zixly-reason"]) == (403, "staff_only")
    assert (answer.headers["x-zixly-user"], "x-zixly-role" in answer.headers) == (f"user:{UUID(int=3)}", False)
    (line,) = lines
    assert (line["event"], line["user_id"], line["tool"], line["reason"]) == ("gateway_refused", UUID(int=3), "dagster", "staff_only")
    assert "secret" not in str(line)


def test_whoever_has_no_membership_is_refused() -> None:
    assert verdict(NotAllowed("You are no member of any tenant.")).status_code == 403


def test_somebody_who_waits_for_a_page_is_sent_to_the_sign_in_and_back() -> None:
    answer = verdict(NotSignedIn("Sign in."), x_forwarded_uri="/dagster/runs?q=a&view=b", accept="text/html,*/*")
    assert answer.status_code == 401
    assert answer.headers["x-zixly-sign-in"] == "/auth/sign-in?next=%2Fdagster%2Fruns%3Fq%3Da%26view%3Db"


@pytest.mark.parametrize(
    "asked",
    [
        {"accept": "application/json"},
        {"accept": "text/html", "x_forwarded_method": "POST"},
        {"accept": "text/html", "x_forwarded_upgrade": "websocket"},
    ],
    ids=["a program", "a form", "a websocket"],
)
def test_nobody_else_is_sent_anywhere(asked: dict[str, str]) -> None:
    answer = verdict(NotSignedIn("Sign in."), x_forwarded_uri="/dagster/graphql", **asked)
    assert answer.status_code == 401
    assert "x-zixly-sign-in" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"x_forwarded_method": "POST", "origin": "https://ops.zixly.example", "sec_fetch_site": "same-origin"}, 200),
        ({"x_forwarded_method": "POST"}, 200),
        ({"x_forwarded_method": "POST", "origin": "https://evil.example"}, 403),
        ({"x_forwarded_method": "POST", "origin": "https://hooks.zixly.example", "sec_fetch_site": "same-site"}, 403),
        ({"x_forwarded_method": "POST", "origin": "null"}, 403),
        ({"x_forwarded_method": "POST", "origin": "http://ops.zixly.example"}, 403),
        ({"x_forwarded_upgrade": "websocket", "origin": "https://evil.example"}, 403),
        ({"x_forwarded_upgrade": "websocket", "origin": "https://ops.zixly.example"}, 200),
        ({"x_forwarded_method": "GET", "sec_fetch_site": "cross-site"}, 200),
    ],
    ids=["own page", "a program", "elsewhere", "sibling", "sandboxed", "plain", "their socket", "own socket", "a link"],
)
def test_other_web_sites_change_nothing_and_open_no_websocket(asked: dict[str, str], status: int) -> None:
    assert verdict(STAFF, **asked).status_code == status
