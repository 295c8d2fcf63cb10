"""Priorities: chosen for a workflow, a tenant or by hand; new jobs and waiting ones take them, and high ones have room of their own."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from tests.integration.bridge.running import XERO_KEY, RunningBridge, eventually, settings_for, start_bridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.stores.handover import HandoverLimits
from zixly_dagster.register import register
from zixly_dagster.workflows import WORKFLOWS

pytestmark = pytest.mark.integration
REAL_LIMITS = HandoverLimits(max_open_batches=32, max_open_jobs=640, slots=4, max_batch=80)


@pytest.fixture
def bridge(ledger: TestLedger, database: TestDatabase) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(database))
    yield running
    running.stop()


def priority_of(ledger: TestLedger, job_id: UUID) -> int:
    priority: int = ledger.job(job_id)["priority"]
    return priority


def choose(bridge: RunningBridge, path: str, priority: str | None, **params: str) -> int:
    answer = bridge.http.put(f"/api/priorities/{path}", json={"priority": priority}, params=params)
    assert answer.status_code == 200, answer.text
    waiting: int = answer.json()["waiting_jobs"]
    return waiting


def add_backlog(ledger: TestLedger, count: int) -> None:
    ledger.owner.execute(
        "insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at) "
        "select gen_random_uuid(), %s, %s, %s, 'xero', 'xero:INVOICE:' || n, n::text, now() from generate_series(1, %s) n",
        (ledger.tenant.id, ledger.tenant.xero, WORKFLOW, count),
    )


def test_waiting_jobs_take_a_changed_priority_at_once_the_narrower_choice_first(bridge: RunningBridge, ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    (mine,), (theirs,) = ledger.add_jobs(1), ledger.add_jobs(1, tenant=other)
    assert choose(bridge, f"workflows/{WORKFLOW}", "low") == 2
    assert (priority_of(ledger, mine), priority_of(ledger, theirs)) == (2, 2)
    assert choose(bridge, "tenants/demo", "high") == 1
    assert (priority_of(ledger, mine), priority_of(ledger, theirs)) == (0, 2)
    assert choose(bridge, f"workflows/{WORKFLOW}", "normal", tenant="demo") == 1
    assert (priority_of(ledger, mine), priority_of(ledger, theirs)) == (1, 2)
    listed = bridge.http.get("/api/priorities").json()["priorities"]
    assert [(one["kind"], one["workflow"], one["tenant"], one["priority"]) for one in listed] == [
        ("tenant", None, "demo", "high"),
        ("workflow", WORKFLOW, None, "low"),
        ("workflow", WORKFLOW, "demo", "normal"),
    ]
    choose(bridge, f"workflows/{WORKFLOW}", None, tenant="demo")
    choose(bridge, "tenants/demo", None)
    choose(bridge, f"workflows/{WORKFLOW}", None)
    assert (priority_of(ledger, mine), priority_of(ledger, theirs)) == (1, 1)


def test_new_jobs_come_with_the_priority_that_was_chosen(bridge: RunningBridge, ledger: TestLedger) -> None:
    for path, expected in ((f"workflows/{WORKFLOW}", 0), ("tenants/demo", 2)):
        choose(bridge, path, {0: "high", 2: "low"}[expected])

        def received(expected: int = expected) -> bool:
            body = xero_body(xero_event(ORGANISATION))
            bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
            row = ledger.owner.execute("select priority from zixly.workflow_jobs order by created_at desc limit 1").fetchone()
            return row is not None and row["priority"] == expected

        eventually(received, seconds=10)


def test_a_persons_choice_survives_a_deployment(bridge: RunningBridge, ledger: TestLedger) -> None:
    register(ledger.dispatch, WORKFLOWS.values())
    choose(bridge, f"workflows/{WORKFLOW}", "high")
    register(ledger.dispatch, WORKFLOWS.values())
    row = ledger.owner.execute("select priority, chosen_priority from zixly.workflows where name = %s", (WORKFLOW,)).fetchone()
    assert row == {"priority": 1, "chosen_priority": 0}


def test_one_job_is_prioritised_by_hand_and_keeps_it_whatever_is_chosen_later(bridge: RunningBridge, ledger: TestLedger) -> None:
    first, second = ledger.add_jobs(2)
    answer = bridge.http.post(f"/api/jobs/{second}/priority", json={"priority": "high"})
    assert answer.json() == {"waiting_jobs": 1}
    choose(bridge, "tenants/demo", "low")
    assert (priority_of(ledger, first), priority_of(ledger, second)) == (2, 0)
    assert [job_id for batch in ledger.hand_over() for job_id in batch.job_ids] == [second, first]


def test_a_job_that_was_handed_over_and_not_taken_leaves_its_batch_to_go_first(bridge: RunningBridge, ledger: TestLedger) -> None:
    ledger.add_jobs(20)
    (batch,) = ledger.hand_over(limits=HandoverLimits(max_open_batches=1, slots=1, max_batch=80))
    urgent = batch.job_ids[13]
    bridge.http.post(f"/api/jobs/{urgent}/priority", json={"priority": "high"})
    (its_own,) = ledger.hand_over(limits=HandoverLimits(max_open_batches=1, slots=1, max_batch=80))
    assert (its_own.job_ids, its_own.priority) == ((urgent,), 0)
    assert len(ledger.claim(ledger.run_of(batch))) == 19


def test_a_job_that_has_ended_has_no_priority_any_more(bridge: RunningBridge, ledger: TestLedger) -> None:
    (job,) = ledger.add_jobs(1, status="COMPLETED")
    assert bridge.http.post(f"/api/jobs/{job}/priority", json={"priority": "high"}).status_code == 409
    assert bridge.http.put("/api/priorities/tenants/nobody", json={"priority": "high"}).status_code == 404


def test_a_high_one_has_room_when_a_backlog_of_5000_has_taken_all_there_is(ledger: TestLedger) -> None:
    add_backlog(ledger, 5_000)
    assert sum(len(batch.job_ids) for batch in ledger.hand_over(limits=REAL_LIMITS)) == 640
    assert ledger.hand_over(limits=REAL_LIMITS) == []
    (urgent,) = ledger.add_jobs(1, priority=0)
    (batch,) = ledger.hand_over(limits=REAL_LIMITS)
    assert (batch.job_ids, batch.priority) == ((urgent,), 0)


def test_the_room_of_high_ones_is_bounded_too(ledger: TestLedger) -> None:
    ledger.add_jobs(300, priority=0)
    limits = HandoverLimits(max_open_batches=8, slots=100, max_batch=1)
    assert len(ledger.hand_over(limits=limits)) == 9
    assert ledger.hand_over(limits=limits) == []


def test_jobs_made_many_at_once_keep_the_priority_they_were_made_with(bridge: RunningBridge, ledger: TestLedger) -> None:
    (job,) = ledger.add_jobs(1, origin="backfill", lane="bulk", priority=2)
    assert choose(bridge, f"workflows/{WORKFLOW}", "high") == 0
    assert priority_of(ledger, job) == 2
