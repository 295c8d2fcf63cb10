"""`zixly issues` as people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import httpx2
import pytest
from rich.console import Console, RenderableType

from zixly_cli.bridge_api import BridgeApi
from zixly_cli.issues_view import issue_table, listed, story_of

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
AT = "2026-11-27T09:58:00Z"


def issue(**fields: Any) -> dict[str, Any]:
    values = {
        "id": "issue-1",
        "tenant": "demo",
        "system": "hubspot",
        "operation": "update contacts",
        "reason": "refused",
        "title": "Jobs fail when hubspot is asked to update contacts: refused.",
        "status": "OPEN",
        "count": 10_000,
        "first_seen_at": AT,
        "last_seen_at": AT,
        "owner": None,
        "note": "client asked",
        "link": None,
        "runbook": "docs/operations.md#a-vendor-refuses-what-we-send",
        "dead_letters": 9_999,
        "under_way": 1,
        "transitions": [{"transition": "opened", "at": AT, "actor": "zixly"}],
        "jobs": [
            {
                "id": "job-1",
                "workflow_type": "xero-invoice-to-hubspot",
                "record_id": "inv-1",
                "status": "FAILED",
                "attempts": 3,
                "error_message": "hubspot answered 400.",
            }
        ],
        "earlier": [{"id": "issue-0", "status": "RESOLVED", "count": 3, "last_seen_at": AT, "note": "mapping mended"}],
    }
    return values | fields


def printed(*shown: RenderableType) -> str:
    console = Console(file=StringIO(), width=200)
    for one in shown:
        console.print(one, soft_wrap=True)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_table_says_who_fails_at_what_how_often_and_who_has_taken_it_on() -> None:
    text = printed(issue_table([issue(), issue(id="issue-2", owner="mia", status="ACKNOWLEDGED")], now=NOW))
    for word in ("2 min ago", "hubspot", "update contacts", "refused", "OPEN", "10,000", "mia", "issue-2"):
        assert word in text


def test_the_story_says_what_became_of_it_what_is_left_and_what_to_do() -> None:
    lines = printed(*story_of(issue())).splitlines()
    assert lines[0] == "issue issue-1 is OPEN at demo, owner: nobody"
    assert "seen 10,000 times" in lines[2]
    assert "9,999 left, 1 being tried again" in lines[2]
    assert "2026-11-27 09:58:00 opened by zixly" in lines[4]
    assert lines[6].strip() == "hubspot answered 400."
    assert lines[7].strip() == "earlier: issue-0 RESOLVED, 3 times, 2026-11-27 09:58:00: mapping mended"
    assert lines[8] == "  what to do: docs/operations.md#a-vendor-refuses-what-we-send"


@pytest.mark.parametrize(
    ("status", "everything", "asked"),
    [(None, False, ["OPEN", "ACKNOWLEDGED"]), (None, True, [None]), ("resolved", False, ["RESOLVED"])],
)
def test_unless_told_otherwise_what_waits_for_somebody_is_listed(status: str | None, everything: bool, asked: list[str | None]) -> None:
    seen: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.params.get("status"))
        return httpx2.Response(200, json={"issues": [issue()]})

    with BridgeApi("http://bridge", token=None, transport=httpx2.MockTransport(answer)) as api:
        listed(api, tenant=None, system=None, status=status, everything=everything, limit=50)
    assert seen == asked
