"""Issues on the running stack: a mapping that the vendor refuses, seen, taken on, mended, replayed, over by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.invoices import paid
from tests.support.stack import StackUnderTest
from zixly_cli.seed import DEMO

pytestmark = pytest.mark.timeout(400)
WRONG = "no_such_property"


def documents(stack: StackUnderTest, *command: str) -> Any:
    done = stack.zixly(*command, "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def said(stack: StackUnderTest, *command: str) -> str:
    done = stack.zixly(*command)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture
def books(running_stack: StackUnderTest) -> Iterator[dict[str, Any]]:
    """The demo tenant's organisation, whose settings are put back."""
    (connection,) = documents(running_stack, "connections", "list", "--tenant", "demo", "--system", "xero")
    yield connection
    assert running_stack.zixly("connections", "set", connection["id"], "--json", json.dumps(connection["settings"])).returncode == 0


def issue_of(stack: StackUnderTest, reason: str, *, status: str = "OPEN") -> dict[str, Any]:
    found: dict[str, Any] = stack.wait_until(
        lambda: next((one for one in documents(stack, "issues", "ls", "--status", status) if one["reason"] == reason), None),
        seconds=60,
        words=f"an issue {reason} is {status}",
    )
    return found


def test_failures_of_one_cause_are_an_issue_that_ends_by_itself_after_its_replay(
    running_stack: StackUnderTest, books: dict[str, Any]
) -> None:
    stack = running_stack
    stack.wait_until_all_jobs_ended()  # those of an earlier test would fail and be counted too
    said(stack, "connections", "set", books["id"], f"mapping.{WRONG}=number")
    paid(stack, DEMO.organisation, 3)
    found = issue_of(stack, "refused")
    assert (found["system"], found["operation"], found["tenant"]) == ("hubspot", "update contacts", "demo")
    issue = found["id"]
    stack.wait_until(lambda: documents(stack, "issues", "show", issue)["count"] == 3, seconds=30, words="all three are counted")
    assert issue in said(stack, "issues")
    assert said(stack, "issues", "ack", issue, "--owner", "mia", "--note", "mapping").split()[-4:] == [
        "is",
        "ACKNOWLEDGED,",
        "owner:",
        "mia",
    ]
    assert issue_of(stack, "settings_do_not_fit")["title"].endswith(f"no property {WRONG}.")

    said(stack, "connections", "set", books["id"], "--json", json.dumps(books["settings"]))
    assert "has 3 jobs" in said(stack, "issues", "replay", issue)
    assert issue_of(stack, "refused", status="RESOLVED")["id"] == issue
    story = documents(stack, "issues", "show", issue)
    assert [(one["transition"], one["actor"]) for one in story["transitions"]] == [
        ("opened", "zixly"),
        ("acknowledged", "local"),
        ("resolved", "zixly"),
    ]
    assert (story["dead_letters"], story["owner"], story["runbook"]) == (0, "mia", "docs/operations.md#a-vendor-refuses-what-we-send")
    assert issue_of(stack, "settings_do_not_fit", status="RESOLVED")["resolved_at"] is not None
    text = said(stack, "issues", "show", issue)
    assert "seen 3 times" in text
    assert "what to do: docs/operations.md#a-vendor-refuses-what-we-send" in text


def test_a_person_ends_ignores_and_opens_an_issue_again(running_stack: StackUnderTest) -> None:
    unchecked = "select id from zixly.connections where settings_saved_at > coalesce(settings_checked_at, '-infinity')"
    running_stack.wait_until(lambda: not running_stack.rows(unchecked), seconds=90, words="the restored settings were compared")
    issue = next(one["id"] for one in documents(running_stack, "issues", "ls", "--all") if one["reason"] == "settings_do_not_fit")
    for verb, status in (("reopen", "OPEN"), ("ignore", "IGNORED"), ("reopen", "OPEN"), ("resolve", "RESOLVED")):
        assert said(running_stack, "issues", verb, issue, "--note", "tried").startswith(f"issue {issue} is {status}")
    assert issue not in said(running_stack, "issues")
    refused = running_stack.zixly("issues", "replay", issue)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "Nothing is left to replay" in refused.stderr
