"""The commands about people and tokens, over a bridge that answers what it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx2
import pytest
from rich.console import Console
from rich.table import Table

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.machine_tokens import token_table
from zixly_cli.output import HIDDEN
from zixly_cli.people import changed, people_table, place_of, removed
from zixly_cli.reconciliations import drift_table
from zixly_core.errors import Rejected, SettingsError

ADA = {
    "id": "p1",
    "email": "ada@example.com",
    "name": "Ada",
    "created_at": "2026-11-27T00:00:00Z",
    "memberships": [
        {"tenant": None, "role": "ADMIN", "sees_payloads": False},
        {"tenant": "demo", "role": "VIEWER", "sees_payloads": False},
    ],
}


def bridge(answer: Callable[[httpx2.Request], object]) -> BridgeApi:
    """Knows Ada; `answer` gives what comes of a change."""

    def respond(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"people": [ADA]} if request.method == "GET" else answer(request))

    return BridgeApi("http://bridge.example.test", token=None, transport=httpx2.MockTransport(respond))


def text_of(table: Table) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_people_are_listed_by_membership_with_who_sees_payloads() -> None:
    _, staff, member = text_of(people_table([ADA])).splitlines()
    assert staff.split()[2:] == ["the", "agency", "ADMIN", "yes", "2026-11-27"]
    assert member.split()[2:] == ["demo", "VIEWER", "no", "2026-11-27"]


@pytest.mark.parametrize(("tenant", "is_staff"), [(None, False), ("demo", True)])
def test_a_place_is_a_client_or_the_agency_and_has_to_be_said(tenant: str | None, is_staff: bool) -> None:
    with pytest.raises(SettingsError, match="--staff"):
        place_of(tenant, is_staff=is_staff)
    assert (place_of("demo", is_staff=False), place_of(None, is_staff=True)) == ("demo", None)


@pytest.mark.parametrize(("place", "query"), [("demo", "at=demo"), (None, "")])
def test_a_membership_is_changed_where_it_was_said(place: str | None, query: str) -> None:
    def answer(request: httpx2.Request) -> object:
        assert (request.method, request.url.path, request.url.query.decode()) == ("PATCH", "/api/people/p1/memberships", query)
        return {"asked": json.loads(request.content)}

    assert changed(bridge(answer), " Ada@Example.com", {"role": "EDITOR"}, place=place) == {"asked": {"role": "EDITOR"}}


@pytest.mark.parametrize(
    ("tenant", "is_staff", "path"),
    [
        (None, False, "/api/people/p1"),
        ("demo", False, "/api/people/p1/memberships?at=demo"),
        (None, True, "/api/people/p1/memberships"),
    ],
)
def test_without_a_place_all_memberships_end(tenant: str | None, is_staff: bool, path: str) -> None:
    def answer(request: httpx2.Request) -> object:
        return {"path": request.url.raw_path.decode(), "method": request.method}

    assert removed(bridge(answer), "ada@example.com", tenant=tenant, is_staff=is_staff) == {"path": path, "method": "DELETE"}


def test_nobody_is_changed_who_is_not_known() -> None:
    def answer(request: httpx2.Request) -> object:
        raise AssertionError(request)

    with pytest.raises(Rejected, match="nobody has the address"):
        removed(bridge(answer), "grace@example.com", tenant=None, is_staff=False)


def test_tokens_are_listed_with_their_end_and_last_use() -> None:
    token = {
        "id": "01a2053d-334d-7f47-92d7-5203fa2f9480",
        "name": "order desk",
        "tenant": "demo",
        "role": "EDITOR",
        "scopes": ["jobs:write"],
        "expires_at": "2027-02-25T00:00:00Z",
        "last_used_at": "2026-11-27T09:30:00Z",
        "revoked_at": None,
    }
    shown = text_of(token_table([token, token | {"tenant": None, "last_used_at": None, "revoked_at": "2026-11-28T00:00:00Z"}]))
    for words in ("demo", "2026-11-27 09:30", "the agency", "never", "revoked 2026-11-28"):
        assert words in shown


def test_what_is_hidden_is_said_to_be_and_not_shown_as_empty() -> None:
    drift = {
        "id": "d1",
        "kind": "field_drift",
        "record_id": "r1",
        "target": None,
        "fields": {"phone": {"source": None, "target": None}},
        "status": "OPEN",
    }
    assert "(empty)" in text_of(drift_table([drift]))
    assert HIDDEN in " ".join(text_of(drift_table([drift | {"payloads_hidden": True}])).split())
