"""Issues over the API: looked at, taken on, ended, ignored, opened again, replayed; by each tenant for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.stores.database import Database
from zixly_core.stores.issue_grouping import look_into_failures
from zixly_core.stores.issue_states import IssueChange, change_issue
from zixly_core.stores.issues import raise_issue
from zixly_core.stores.issues_view import IssueFilter, issue_with_story, issues_page
from zixly_core.stores.jobs_view import Page, Scope, scoped


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


@pytest.fixture
def api(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("api"), name="api")
    yield opened
    opened.close()


def fail(ledger: TestLedger, count: int = 3, **columns: Any) -> list[UUID]:
    ended = {
        "status": "FAILED",
        "dead_letter": True,
        "completed_at": "2026-11-27T10:00:00+00:00",
        "attempts": 3,
        "error_reason": "refused",
        "error_system": "hubspot",
        "error_operation": "update contacts",
        "error_message": "answered 400",
    }
    ids = ledger.add_jobs(count, **{**ended, **columns})
    look_into_failures(ledger.dispatch)
    return ids


def only_issue(bridge: RunningBridge) -> dict[str, Any]:
    (found,) = bridge.http.get("/api/issues").json()["issues"]
    told: dict[str, Any] = bridge.http.get(f"/api/issues/{found['id']}").json()
    return told


def post(bridge: RunningBridge, issue: dict[str, Any], verb: str, **fields: Any) -> dict[str, Any]:
    answer = bridge.http.post(f"/api/issues/{issue['id']}/{verb}", json=fields)
    assert answer.is_success, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def test_an_issue_tells_its_cause_what_is_left_of_it_examples_and_what_to_do(bridge: RunningBridge, ledger: TestLedger) -> None:
    ids = fail(ledger, 8)
    issue = only_issue(bridge)
    assert (issue["system"], issue["operation"], issue["reason"], issue["count"]) == ("hubspot", "update contacts", "refused", 8)
    assert (issue["dead_letters"], issue["under_way"], issue["owner"], issue["status"]) == (8, 0, None, "OPEN")
    assert issue["runbook"] == "docs/operations.md#a-vendor-refuses-what-we-send"
    assert {job["error_message"] for job in issue["jobs"]} == {"answered 400"}
    assert {job["id"] for job in issue["jobs"]} < {str(one) for one in ids}
    assert [one["transition"] for one in issue["transitions"]] == ["opened"]


def test_whoever_takes_an_issue_on_is_its_owner_until_somebody_else_does(bridge: RunningBridge, ledger: TestLedger) -> None:
    fail(ledger)
    issue = only_issue(bridge)
    assert post(bridge, issue, "acknowledge")["owner"] == "local"
    changed = post(bridge, issue, "acknowledge", owner="mia", note="asked the client")
    assert (changed["status"], changed["owner"], changed["note"]) == ("ACKNOWLEDGED", "mia", "asked the client")
    assert [(one["transition"], one["actor"]) for one in changed["transitions"]] == [("opened", "zixly"), ("acknowledged", "local")]
    fail(ledger)
    assert (only_issue(bridge)["status"], only_issue(bridge)["count"]) == ("ACKNOWLEDGED", 6)


def test_changes_are_told_once_and_each_is_written_to_the_audit_log(bridge: RunningBridge, ledger: TestLedger) -> None:
    fail(ledger)
    issue = only_issue(bridge)
    for verb in ("acknowledge", "ignore", "ignore", "reopen", "resolve", "resolve", "reopen"):
        changed = post(bridge, issue, verb)
    transitions = [one["transition"] for one in changed["transitions"]]
    assert transitions == ["opened", "acknowledged", "ignored", "reopened", "resolved", "reopened"]
    rows = ledger.owner.execute("select action, subject, details from zixly.audit_log where action like 'issue.%' order by id").fetchall()
    assert [row["action"] for row in rows] == [
        f"issue.{v}" for v in ("acknowledge", "ignore", "ignore", "reopen", "resolve", "resolve", "reopen")
    ]
    assert {(row["subject"], str(row["details"])) for row in rows} == {(issue["id"], "{}")}


def test_an_issue_whose_cause_has_a_newer_one_is_not_opened_beside_it(bridge: RunningBridge, ledger: TestLedger) -> None:
    fail(ledger)
    old = only_issue(bridge)
    post(bridge, old, "resolve", note="done by hand")
    fail(ledger, 1)
    (new,) = bridge.http.get("/api/issues?status=OPEN").json()["issues"]
    refused = bridge.http.post(f"/api/issues/{old['id']}/reopen", json={})
    assert (refused.status_code, refused.json()["reason"]) == (409, "wrong_state")
    assert new["id"] in refused.json()["detail"]
    (earlier,) = bridge.http.get(f"/api/issues/{new['id']}").json()["earlier"]
    assert (earlier["id"], earlier["note"]) == (old["id"], "done by hand")
    ignored = bridge.http.post(f"/api/issues/{old['id']}/ignore", json={})
    assert (ignored.status_code, ignored.json()["detail"].count("reopen it first")) == (409, 1)


def test_the_replay_of_an_issue_makes_a_job_for_each_that_is_left_and_the_issue_ends_with_the_last(
    bridge: RunningBridge, ledger: TestLedger
) -> None:
    ids = fail(ledger, 5)
    issue = only_issue(bridge)
    made = post(bridge, issue, "replay", rate_per_minute=600)
    assert (made["jobs"], made["left"]) == (5, 0)
    replays = ledger.owner.execute("select * from zixly.workflow_jobs where made_by = %s", (made["replay_id"],)).fetchall()
    assert {row["origin_job_id"] for row in replays} == set(ids)
    again = bridge.http.post(f"/api/issues/{issue['id']}/replay", json={})
    assert (again.status_code, again.json()["reason"]) == (409, "wrong_state")
    complete = "update zixly.workflow_jobs set status = 'COMPLETED', completed_at = now() where id = any(%s)"
    ledger.owner.execute(complete, ([row["id"] for row in replays[1:]],))
    look_into_failures(ledger.dispatch)
    assert (only_issue(bridge)["status"], only_issue(bridge)["dead_letters"]) == ("OPEN", 1)
    ledger.owner.execute(complete, ([replays[0]["id"]],))
    look_into_failures(ledger.dispatch)
    ended = only_issue(bridge)
    assert (ended["status"], ended["dead_letters"], ended["resolved_at"] is not None) == ("RESOLVED", 0, True)
    assert {job["taken_over_by"] for job in ended["jobs"]} == {str(row["id"]) for row in replays}


def test_a_dry_run_of_an_issue_leaves_it_as_it_is(bridge: RunningBridge, ledger: TestLedger) -> None:
    fail(ledger, 2)
    issue = only_issue(bridge)
    assert post(bridge, issue, "replay", dry_run=True)["jobs"] == 2
    ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED', completed_at = now() where origin = 'replay'")
    look_into_failures(ledger.dispatch)
    assert (only_issue(bridge)["status"], only_issue(bridge)["dead_letters"]) == ("OPEN", 2)


def test_an_issue_without_jobs_has_nothing_to_replay(bridge: RunningBridge, ledger: TestLedger) -> None:
    raise_issue(
        ledger.owner,
        tenant_id=ledger.tenant.id,
        system="xero",
        operation="receive",
        reason="webhook_off",
        connection_id=None,
        title="Xero has switched the webhook off.",
        link=None,
    )
    refused = bridge.http.post(f"/api/issues/{only_issue(bridge)['id']}/replay", json={})
    assert refused.status_code == 409
    assert ledger.owner.execute("select from zixly.replays").fetchall() == []


@pytest.mark.parametrize("verb", ["acknowledge", "resolve", "ignore", "reopen", "replay"])
def test_an_issue_that_is_not_there_is_not_found(bridge: RunningBridge, verb: str) -> None:
    assert bridge.http.post(f"/api/issues/{new_id()}/{verb}", json={}).status_code == 404
    assert bridge.http.get(f"/api/issues/{new_id()}").status_code == 404


def test_one_tenant_cannot_see_or_change_the_issues_of_another(ledger: TestLedger, api: Database) -> None:
    other = ledger.add_tenant("second")
    fail(ledger)
    fail(ledger, tenant=other)
    with scoped(api, Scope(tenant_id=other.id)) as rows:
        (theirs,) = issues_page(rows, IssueFilter(), page=Page(limit=9))
    with scoped(api, Scope(tenant_id=ledger.tenant.id)) as rows:
        (ours,) = issues_page(rows, IssueFilter(), page=Page(limit=9))
        assert ours.id != theirs.id
        assert issue_with_story(rows, theirs.id) is None
        assert [change_issue(rows, theirs.id, one, actor="mia") for one in IssueChange] == [None] * 4
    row = ledger.owner.execute("select status, owner from zixly.issues where id = %s", (theirs.id,)).fetchone()
    assert row == {"status": "OPEN", "owner": None}
