"""Handing over: what is due goes to runs, in order, fairly, and never twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.ledger import TestLedger
from zixly_core.stores.handover import BY_INDEX_SQL, DUE_SQL, NEXT_DUE_SQL, HandoverLimits, due_in_seconds, take_back


def test_in_quiet_times_a_batch_holds_one_job(ledger: TestLedger) -> None:
    ledger.add_jobs(2)
    assert [len(batch.job_ids) for batch in ledger.hand_over()] == [1, 1]


def test_a_burst_is_spread_over_the_slots_in_batches_of_many_jobs(ledger: TestLedger) -> None:
    ledger.add_jobs(100)
    assert [len(batch.job_ids) for batch in ledger.hand_over()] == [50, 50]


def test_bulk_work_goes_in_full_batches_however_many_slots_are_free(ledger: TestLedger) -> None:
    """It is held up by the vendors' limits, and a full batch costs the fewest calls."""
    ledger.add_jobs(100, lane="bulk")
    assert [len(batch.job_ids) for batch in ledger.hand_over()] == [80, 20]


def test_a_batch_never_holds_more_jobs_than_its_workflow_allows(ledger: TestLedger) -> None:
    ledger.add_jobs(200)
    assert [len(batch.job_ids) for batch in ledger.hand_over()] == [80, 80, 40]


def test_what_is_in_hand_is_not_handed_over_again(ledger: TestLedger) -> None:
    ledger.add_jobs(3)
    ledger.hand_over()
    assert ledger.hand_over() == []


def test_two_dispatchers_at_once_hand_each_job_over_once(ledger: TestLedger) -> None:
    ids = ledger.add_jobs(300)
    one_each = HandoverLimits(max_open_batches=1_000, slots=1_000, max_batch=1)
    with ThreadPoolExecutor(8) as pool:
        rounds = list(pool.map(lambda _: ledger.hand_over(limits=one_each), range(40)))
    handed = [job_id for batches in rounds for batch in batches for job_id in batch.job_ids]
    assert sorted(handed) == sorted(set(handed))
    while more := ledger.hand_over(limits=one_each):
        handed += [job_id for batch in more for job_id in batch.job_ids]
    assert sorted(handed) == sorted(ids)


def test_jobs_about_one_record_go_together(ledger: TestLedger) -> None:
    ledger.add_jobs(3, record="8694c9c5")
    assert [len(batch.job_ids) for batch in ledger.hand_over()] == [3]


def test_a_job_about_a_record_that_is_in_hand_waits(ledger: TestLedger) -> None:
    run, _ = ledger.claimed(1, record="8694c9c5")
    ledger.add_jobs(1, record="8694c9c5")
    assert ledger.hand_over() == []
    ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED' where run_id = %s", (run.run_id,))
    assert len(ledger.hand_over()) == 1


def test_a_high_priority_overtakes_a_backlog(ledger: TestLedger) -> None:
    ledger.add_jobs(500)
    (urgent,) = ledger.add_jobs(1, priority=0)
    first = ledger.hand_over(limits=HandoverLimits(max_open_batches=1, slots=1, max_batch=10))
    assert first[0].job_ids == (urgent,)


def test_tenants_take_turns(ledger: TestLedger) -> None:
    ledger.add_jobs(1_000)
    small = ledger.add_tenant("small")
    (job_id,) = ledger.add_jobs(1, tenant=small)
    batches = ledger.hand_over(limits=HandoverLimits(max_open_batches=2, slots=2, max_batch=80))
    assert len(batches) == 2
    assert batches[0].job_ids == (job_id,)


def test_a_job_waits_for_its_time(ledger: TestLedger) -> None:
    ledger.add_jobs(1, due_at=datetime.now(UTC) + timedelta(seconds=30))
    assert ledger.hand_over() == []
    seconds = due_in_seconds(ledger.dispatch, system="xero")
    assert seconds is not None
    assert 20 < seconds <= 30


def test_jobs_of_paused_and_parked_owners_wait(ledger: TestLedger) -> None:
    ledger.add_jobs(1)
    arrangements = [
        ("update zixly.tenants set paused_at = now()", "update zixly.tenants set paused_at = null"),
        ("update zixly.connections set paused_at = now()", "update zixly.connections set paused_at = null"),
        (
            "update zixly.connections set parked_until = now() + interval '1 hour'",
            "update zixly.connections set parked_until = now() - interval '1 second'",
        ),
        ("update zixly.connections set status = 'DISCONNECTED'", "update zixly.connections set status = 'ACTIVE'"),
        ("update zixly.workflows set paused_at = now()", "update zixly.workflows set paused_at = null"),
    ]
    for pause, resume in arrangements:
        ledger.owner.execute(pause)
        assert ledger.hand_over() == [], pause
        ledger.owner.execute(resume)
    assert len(ledger.hand_over()) == 1


def test_no_more_is_handed_over_than_there_is_room_for(ledger: TestLedger) -> None:
    ledger.add_jobs(10)
    limits = HandoverLimits(max_open_batches=3, slots=10, max_batch=1)
    assert len(ledger.hand_over(limits=limits)) == 3
    assert ledger.hand_over(limits=limits) == []


def test_a_batch_whose_run_could_not_be_launched_is_due_again_at_once(ledger: TestLedger) -> None:
    ledger.add_jobs(2, record="8694c9c5")
    (batch,) = ledger.hand_over()
    assert take_back(ledger.dispatch, batch.id) == 2
    assert take_back(ledger.dispatch, batch.id) == 0
    (again,) = ledger.hand_over()
    ledger.claim(ledger.run_of(again))
    assert take_back(ledger.dispatch, again.id) == 0, "what a run has claimed is the run's"


def test_the_jobs_of_open_batches_are_bounded_too(ledger: TestLedger) -> None:
    ledger.add_jobs(300)
    limits = HandoverLimits(max_open_batches=100, slots=2, max_batch=20, max_open_jobs=60)
    assert [len(batch.job_ids) for batch in ledger.hand_over(limits=limits)] == [20, 20, 20]
    assert ledger.hand_over(limits=limits) == []


@pytest.mark.parametrize("state", ["status = 'DISCONNECTED'", "paused_at = now()", "parked_until = now() + interval '1 hour'"])
def test_jobs_of_an_account_that_is_left_alone_are_no_reason_to_look_all_the_time(ledger: TestLedger, state: str) -> None:
    ledger.add_jobs(2)
    ledger.owner.execute(f"update zixly.connections set {state} where id = %s", (ledger.tenant.xero,))
    assert due_in_seconds(ledger.dispatch, system="xero") is None
    ledger.owner.execute("update zixly.connections set status = 'ACTIVE', paused_at = null, parked_until = null")
    assert due_in_seconds(ledger.dispatch, system="xero") == 0


def test_a_long_backlog_leaves_a_slot_to_a_tenant_that_has_work_too(ledger: TestLedger) -> None:
    """Full batches in every slot would keep a single job of another's waiting for as long as they take."""
    limits = HandoverLimits(max_open_batches=32, max_open_jobs=640, slots=4, max_batch=80)
    other = ledger.add_tenant("steady")
    ledger.add_jobs(1_000)
    ledger.add_jobs(1, tenant=other)
    first, *backlog = ledger.hand_over(limits=limits)
    assert first.tenant_id == other.id
    assert [len(batch.job_ids) for batch in backlog] == [80, 80, 80]
    (later,) = ledger.add_jobs(1, tenant=other)
    assert [batch.job_ids for batch in ledger.hand_over(limits=limits)] == [(later,)]


def test_a_backlog_of_a_tenant_that_is_alone_takes_every_slot(ledger: TestLedger) -> None:
    """Whoever had work a moment ago is not alone."""
    limits = HandoverLimits(max_open_batches=32, max_open_jobs=640, slots=4, max_batch=80)
    other = ledger.add_tenant("steady")
    ledger.add_jobs(1, tenant=other)
    ledger.hand_over(limits=limits)
    ledger.owner.execute("update zixly.batches set ended_at = now()")
    ledger.add_jobs(2_000)
    assert len(ledger.hand_over(limits=limits)) == 3
    ledger.owner.execute("update zixly.batches set created_at = now() - interval '2 minutes' where tenant_id = %s", (other.id,))
    assert sum(len(batch.job_ids) for batch in ledger.hand_over(limits=limits)) == 640 - 3 * 80


def test_urgent_jobs_of_a_long_backlog_are_not_held_up_by_it(ledger: TestLedger) -> None:
    limits = HandoverLimits(max_open_batches=32, max_open_jobs=640, slots=4, max_batch=80)
    ledger.add_jobs(1, tenant=ledger.add_tenant("steady"))
    ledger.add_jobs(1_000)
    ledger.hand_over(limits=limits)
    (urgent,) = ledger.add_jobs(1, priority=0)
    assert [batch.job_ids for batch in ledger.hand_over(limits=limits)] == [(urgent,)]


MANY_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, record_key, record_id, occurred_at)
select gen_random_uuid(), tenant_id, id, 'xero-invoice-to-hubspot', 'xero', n::text, n::text, now()
from zixly.connections, generate_series(1, 4000) n where system = 'xero'"""


@pytest.mark.parametrize(("query", "index"), [(DUE_SQL, "jobs_due on"), (NEXT_DUE_SQL, "jobs_due_by_age on")])
def test_the_first_of_a_long_backlog_are_found_without_looking_at_all_of_it(ledger: TestLedger, query: str, index: str) -> None:
    ledger.owner.execute(MANY_SQL)
    ledger.owner.execute("analyze zixly.workflow_jobs")
    values = {"system": "xero", "lanes": ["live"], "lanes_for_high": ["live"], "lowest": 2, "gated": [], "released": []}
    with ledger.dispatch.transaction() as connection:
        connection.execute(BY_INDEX_SQL)
        found = connection.execute(f"explain (analyze) {query}", {**values, "per_tenant": 50, "max_batch": 80})
        plan = [row["QUERY PLAN"] for row in found]
    assert not any("Sort" in line for line in plan), plan
    (scanned,) = [line for line in plan if index in line and " j " in line]
    assert rows_of(scanned) <= 51


def rows_of(line: str) -> float:
    """How many rows a node of a plan gave."""
    return float(line.partition("actual ")[2].partition("rows=")[2].split()[0])


def test_a_long_backlog_goes_in_full_batches_as_places_become_free(ledger: TestLedger) -> None:
    """Spread over the slots, what fits into one place had become four batches, and each cost a run."""
    limits = HandoverLimits(max_open_batches=32, max_open_jobs=320, slots=4, max_batch=80)
    ledger.add_jobs(800)
    first, *_ = ledger.hand_over(limits=limits)
    ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED' where batch_id = %s", (first.id,))
    ledger.owner.execute("update zixly.batches set ended_at = now() where id = %s", (first.id,))
    assert [len(batch.job_ids) for batch in ledger.hand_over(limits=limits)] == [80]


def test_where_every_slot_is_taken_jobs_wait_for_one_another_until_the_batch_before_them_is_claimed(ledger: TestLedger) -> None:
    waiting = []
    for _ in range(3):
        ledger.add_jobs(1)
        waiting += ledger.hand_over()
    together = ledger.add_jobs(2)
    assert ledger.hand_over() == []
    (urgent,) = ledger.add_jobs(1, priority=0)
    (other,) = ledger.add_jobs(1, tenant=ledger.add_tenant("steady"))
    assert [batch.job_ids for batch in ledger.hand_over()] == [(urgent,), (other,)]
    for number, batch in enumerate(waiting):
        ledger.claim(ledger.run_of(batch, f"run-{number}"))
    ledger.owner.execute("update zixly.batches set run_id = 'urgent' where run_id is null and tenant_id = %s", (ledger.tenant.id,))
    assert [batch.job_ids for batch in ledger.hand_over()] == [tuple(together)]
