"""What people ask for over the API: a workflow for one record, done or only told, and webhooks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.integration.bridge.running import RunningBridge, eventually
from tests.support.ledger import ORGANISATION, WORKFLOW, TestLedger
from zixly_core.ids import new_id

INVOICE = "8694c9c5-7097-4449-a708-b8c1982921a4"
FORM = "xero:{account}:INVOICE:{id}"


@pytest.fixture(autouse=True)
def form(ledger: TestLedger) -> None:
    ledger.owner.execute("update zixly.workflows set record_form = %s where name = %s", (FORM, WORKFLOW))


def asked(bridge: RunningBridge, **changes: Any) -> tuple[int, dict[str, Any]]:
    body = {"tenant": "demo", "workflow": WORKFLOW, "record_id": INVOICE, **changes}
    answer = bridge.http.post("/api/jobs", json=body)
    return answer.status_code, answer.json()


def test_a_job_that_is_asked_for_stands_in_order_with_those_of_events(bridge: RunningBridge, ledger: TestLedger) -> None:
    status, answer = asked(bridge)
    assert (status, answer["status"]) == (202, "QUEUED")
    job = ledger.job(UUID(answer["id"]))
    assert (job["record_key"], job["origin"]) == (f"xero:{ORGANISATION}:INVOICE:{INVOICE}", "manual")
    eventually(lambda: job["id"] in bridge.queues["xero"].queued_ids())


def test_a_dry_run_stands_in_nobodys_way(bridge: RunningBridge, ledger: TestLedger) -> None:
    ids = [asked(bridge, dry_run=one)[1]["id"] for one in (True, False, True)]
    keys = {ledger.job(UUID(one))["record_key"] for one in ids}
    assert len(keys) == 3
    assert len(ledger.hand_over()) >= 1
    assert ledger.owner.execute("select count(*) as n from zixly.workflow_jobs where batch_id is null").fetchone() == {"n": 0}


def test_what_is_asked_for_is_written_to_the_audit_log(bridge: RunningBridge, ledger: TestLedger) -> None:
    asked(bridge)
    asked(bridge, dry_run=True)
    rows = ledger.owner.execute("select actor, action from zixly.audit_log order by at").fetchall()
    assert [(row["actor"], row["action"]) for row in rows] == [("local", "job.make"), ("local", "job.dry_run")]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"workflow": "nothing"}, "workflow_unknown"),
        ({"tenant": "nobody"}, "tenant_unknown"),
        ({"record_id": "' or 1=1"}, "record_id_invalid"),
        ({"connection_id": str(new_id())}, "connection_undecided"),
    ],
)
def test_what_cannot_be_done_is_refused_in_clear_words_and_makes_nothing(
    bridge: RunningBridge, ledger: TestLedger, changes: dict[str, str], reason: str
) -> None:
    status, answer = asked(bridge, **changes)
    assert (status, answer["reason"]) == (400, reason)
    assert ledger.owner.execute("select 1 from zixly.workflow_jobs").fetchone() is None


def test_a_workflow_that_is_about_requests_takes_one_and_no_record(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.owner.execute("update zixly.workflows set record_form = null, triggers = '{xero:a.told,xero:a.erased}'")
    assert asked(bridge)[1]["reason"] == "payload_missing"
    assert asked(bridge, record_id=None, payload={"x": 1})[1]["reason"] == "kind_unknown"
    status, answer = asked(bridge, record_id=None, payload={"x": 1}, kind="a.told", dry_run=True)
    assert status == 202
    job = ledger.job(UUID(answer["id"]))
    assert (job["trigger_data"]["payload"], job["trigger_data"]["kind"]) == ({"x": 1}, "a.told")
    assert job["record_key"].startswith(f"xero:{ORGANISATION}:manual:{job['id']}")


def test_a_second_account_has_to_be_named(bridge: RunningBridge, ledger: TestLedger) -> None:
    second = new_id()
    values = (second, ledger.tenant.id, str(new_id()))
    ledger.owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'xero', %s, 'B')", values
    )
    assert asked(bridge)[1]["reason"] == "connection_undecided"
    assert asked(bridge, connection_id=str(second))[0] == 202


def asana_connection(ledger: TestLedger) -> UUID:
    connection = new_id()
    ledger.owner.execute(
        "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'asana', '1200000000000001', 'A')",
        (connection, ledger.tenant.id),
    )
    return connection


def test_a_wish_for_a_webhook_is_kept_once_and_shown(bridge: RunningBridge, ledger: TestLedger) -> None:
    path = f"/api/connections/{asana_connection(ledger)}/subscriptions"
    first, second = (bridge.http.post(path, json={"resource": "1203333333333301"}) for _ in range(2))
    assert (first.status_code, first.json()["status"]) == (202, "WANTED")
    assert second.json() == first.json()
    (shown,) = bridge.http.get(path).json()["subscriptions"]
    assert (shown["resource"], shown["status"], shown["external_id"]) == ("1203333333333301", "WANTED", None)


def test_a_webhook_of_a_vendor_that_needs_no_wish_is_refused(bridge: RunningBridge, ledger: TestLedger) -> None:
    path = f"/api/connections/{ledger.tenant.hubspot}/subscriptions"
    answer = bridge.http.post(path, json={"resource": "1203333333333301"})
    assert (answer.status_code, answer.json()["reason"]) == (400, "connection_missing")


def test_a_resource_that_is_no_id_is_refused(bridge: RunningBridge, ledger: TestLedger) -> None:
    path = f"/api/connections/{asana_connection(ledger)}/subscriptions"
    assert bridge.http.post(path, json={"resource": "../../users"}).status_code == 422
