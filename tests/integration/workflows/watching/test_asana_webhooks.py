"""Webhooks that Asana deleted or is about to delete."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.watching.conftest import TASKS, Watchdog, run_all
from zixly_core.ids import new_id
from zixly_core.subscriptions import token_digest
from zixly_core.watching import Watch
from zixly_sandbox.constants import DEMO, TASK

pytestmark = pytest.mark.integration


@pytest.fixture
def project(watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project of the demo workspace that Asana tells us of."""
    monkeypatch.setattr(watchdog.stage.sandbox.sandbox.asana, "client", lambda: httpx2.AsyncClient(trust_env=False))
    stage, token = watchdog.stage, "first-path"
    body = {"workspace": DEMO.workspace, "resource": DEMO.project, "secret": "s" * 32}
    target_url = f"{watchdog.watch.public_url}/webhook/asana/{token}"
    made = stage.sandbox.admin("POST", "/webhooks/asana", {**body, "target_url": target_url})
    stage.ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, token_sha256, external_id, resource, status)"
        " values (%s, %s, %s, 'asana', 'handshake', %s, %s, %s, 'ACTIVE')",
        (new_id(), stage.ledger.tenant.id, stage.connections["asana"], token_digest(token), made["gid"], DEMO.project),
    )
    return DEMO.project


def complete(stage: Stage, task: str = TASK) -> None:
    stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{task}/complete")


def test_a_webhook_that_asana_deleted_is_made_again_and_its_tasks_are_made_good(watchdog: Watchdog, project: str) -> None:
    stage = watchdog.stage
    assert watchdog.check("asana", after=timedelta()).state == "well"
    stage.sandbox.admin("DELETE", f"/webhooks/asana?workspace={DEMO.workspace}")
    complete(stage)
    check = watchdog.check("asana", after=timedelta(seconds=1))
    assert (check.state, check.findings["lost"], check.findings["made"]) == ("mended", 1, 1)
    rows = stage.rows("select status, external_id, resource from zixly.subscriptions order by created_at")
    assert [row["status"] for row in rows] == ["GONE", "ACTIVE"]
    (webhook,) = stage.sandbox.sandbox.asana.accounts[DEMO.workspace].hooks.found.values()
    assert (webhook.gid, webhook.resource) == (rows[1]["external_id"], project)
    assert watchdog.recovered(TASKS) == [TASK]
    assert [(one["kind"], one["status"], one["resource"]) for one in watchdog.holes()] == [("subscription", "RECOVERED", project)]
    run_all(stage, "asana")
    assert len(stage.sandbox.created("notes")) == 1
    assert watchdog.check("asana", after=timedelta(hours=1)).state == "well"
    assert (watchdog.recovered(TASKS), watchdog.issues()) == ([TASK], [])


def test_what_asana_does_not_make_again_now_is_an_issue_and_its_hole_stays_open(watchdog: Watchdog, project: str) -> None:
    stage = watchdog.stage
    watchdog.check("asana", after=timedelta())
    stage.sandbox.admin("DELETE", f"/webhooks/asana?workspace={DEMO.workspace}")
    complete(stage)
    reachable = watchdog.watch
    watchdog.watch = Watch(
        **{**vars(reachable), "public_url": "http://127.0.0.1:9"},
    )
    assert watchdog.check("asana", after=timedelta(seconds=1)).state == "lost"
    assert watchdog.issues() == [("webhook_lost", "OPEN")]
    assert (watchdog.recovered(TASKS), [one["status"] for one in watchdog.holes()]) == ([TASK], ["OPEN"])
    assert watchdog.check("asana", after=timedelta(minutes=1)).state == "lost"
    assert len(watchdog.holes()) == 1
    stage.ledger.owner.execute("update zixly.subscriptions set status = 'GONE'")
    watchdog.watch = reachable
    stage.sandbox.admin("POST", "/webhooks/asana", webhook_body(watchdog))
    found = stage.sandbox.sandbox.asana.accounts[DEMO.workspace].hooks.found
    stage.ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, external_id, resource, status)"
        " values (%s, %s, %s, 'asana', 'handshake', %s, %s, 'ACTIVE')",
        (new_id(), stage.ledger.tenant.id, stage.connections["asana"], next(iter(found)), project),
    )
    assert watchdog.check("asana", after=timedelta(minutes=2)).state == "mended"
    assert ([one["status"] for one in watchdog.holes()], watchdog.issues()) == (["RECOVERED"], [("webhook_lost", "RESOLVED")])


def webhook_body(watchdog: Watchdog) -> dict[str, Any]:
    target_url = f"{watchdog.watch.public_url}/webhook/asana/second-path"
    return {"workspace": DEMO.workspace, "resource": DEMO.project, "secret": "s" * 32, "target_url": target_url}


def test_a_webhook_that_asana_is_about_to_delete_is_told_in_time_and_the_issue_ends_with_the_next_success(
    watchdog: Watchdog, project: str
) -> None:
    stage = watchdog.stage
    stage.sandbox.admin("POST", f"/webhooks/asana/fail?workspace={DEMO.workspace}")
    assert watchdog.check("asana").state == "failing"
    ((title,),) = [tuple(row.values()) for row in stage.rows("select title from zixly.issues where operation = 'webhook'")]
    assert "deletes them at " in title
    assert "does not answer at ZIXLY_BRIDGE_PUBLIC_URL" in title
    (webhook,) = stage.sandbox.sandbox.asana.accounts[DEMO.workspace].hooks.found.values()
    webhook.last_success_at, webhook.deleted_at = (webhook.last_failure_at or 0) + 1, None
    assert watchdog.check("asana").state == "well"
    assert watchdog.issues() == [("webhook_failing", "RESOLVED")]


def test_a_path_that_belongs_to_no_webhook_is_left_alone(watchdog: Watchdog) -> None:
    """Such as the demo's, to which samples are sent."""
    stage = watchdog.stage
    stage.ledger.owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, token_sha256, status)"
        " values (%s, %s, %s, 'asana', 'handshake', 'digest', 'ACTIVE')",
        (new_id(), stage.ledger.tenant.id, stage.connections["asana"]),
    )
    assert watchdog.check("asana").state == "well"
    assert [row["status"] for row in stage.rows("select status from zixly.subscriptions")] == ["ACTIVE"]
    assert (watchdog.holes(), watchdog.issues()) == ([], [])


def test_a_task_that_changed_otherwise_is_no_hole(watchdog: Watchdog, project: str) -> None:
    stage = watchdog.stage
    stage.sandbox.admin("POST", f"/asana/{DEMO.workspace}/tasks/{TASK}/comments")
    assert watchdog.check("asana").state == "well"
