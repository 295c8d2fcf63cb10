"""Jobs that a connection holds up: parked without using up an attempt, and in their old order once it is well again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.support.ledger import POLICY, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.batching import Batch
from zixly_core.errors import BudgetSpent, Disconnected
from zixly_core.job import ClaimedJob, Failed, JobEnd, failure_from
from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.database import Database
from zixly_core.stores.handover import HandoverLimits, due_in_seconds
from zixly_core.stores.pipeline_counts import pipeline_counts
from zixly_core.stores.readings import read
from zixly_core.stores.settle import settle

STEADY = random.Random(7)
BREAKS_AND_MENDS = [
    ("status = 'DISCONNECTED'", "status = 'ACTIVE'"),
    ("paused_at = now()", "paused_at = null"),
    ("parked_until = now() + interval '1 hour'", "parked_until = now() - interval '1 second'"),
]
ONE_BY_ONE = HandoverLimits(max_open_batches=8, slots=100, max_batch=1)


def reconnect_needed(connection_id: UUID) -> Failed:
    return failure_from(Disconnected("The token of the connection ended.", connection_id=connection_id))


def change_partner(ledger: TestLedger, change: str) -> None:
    ledger.owner.execute(f"update zixly.connections set {change} where id = %s", (ledger.tenant.hubspot,))


def fail(ledger: TestLedger, run: RunIdentity, jobs: Sequence[ClaimedJob], failure: Failed) -> None:
    settle(ledger.runs, run, [JobEnd(job, failure) for job in jobs], policy=POLICY, jitter=STEADY)


def states(database: TestDatabase) -> dict[str, int]:
    """Open jobs by why they are open, as metrics sees them."""
    metrics = Database(database.url("metrics"), name="metrics")
    try:
        return {one.state: one.jobs for one in read(metrics, pipeline_counts).open_jobs}
    finally:
        metrics.close()


def order_of(batches: Sequence[Batch]) -> list[UUID]:
    return [job_id for batch in batches for job_id in batch.job_ids]


@pytest.mark.parametrize(("breaks", "mends"), BREAKS_AND_MENDS)
def test_a_job_blocked_by_its_partner_waits_for_it_and_uses_up_no_attempt(ledger: TestLedger, breaks: str, mends: str) -> None:
    run, (job,) = ledger.claimed(1)
    change_partner(ledger, breaks)
    fail(ledger, run, [job], reconnect_needed(ledger.tenant.hubspot))
    row = ledger.job(job.id)
    assert (row["status"], row["attempts"], row["blocked_by"]) == ("QUEUED", 0, ledger.tenant.hubspot)
    assert row["parked_reason"] == "reconnect_needed"
    assert ledger.hand_over() == []
    change_partner(ledger, mends)
    assert order_of(ledger.hand_over()) == [job.id]
    row = ledger.job(job.id)
    assert (row["blocked_by"], row["parked_reason"]) == (None, None)


def test_blocked_jobs_go_on_in_their_old_order_before_younger_ones(ledger: TestLedger) -> None:
    began = datetime.now(UTC) - timedelta(minutes=10)
    ids = [ledger.add_jobs(1, due_at=began + timedelta(seconds=second))[0] for second in range(4)]
    change_partner(ledger, "status = 'DISCONNECTED'")
    batches = ledger.hand_over(limits=ONE_BY_ONE)
    for position in (2, 0, 3, 1):
        run = ledger.run_of(batches[position], f"run-{position}")
        fail(ledger, run, ledger.claim(run), reconnect_needed(ledger.tenant.hubspot))
    (younger,) = ledger.add_jobs(1, due_at=began + timedelta(seconds=9))
    change_partner(ledger, "status = 'ACTIVE'")
    assert order_of(ledger.hand_over(limits=ONE_BY_ONE)) == [*ids, younger]


def test_jobs_that_do_not_need_the_broken_connection_are_not_held_up(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(1)
    change_partner(ledger, "status = 'DISCONNECTED'")
    fail(ledger, run, jobs, reconnect_needed(ledger.tenant.hubspot))
    (free,) = ledger.add_jobs(1)
    assert order_of(ledger.hand_over()) == [free]


def test_a_spent_budget_of_a_partner_holds_the_job_for_as_long_as_the_partner_is_parked(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    change_partner(ledger, "parked_until = now() + interval '2 hours'")
    spent = BudgetSpent("The day's calls are used up.", retry_after=timedelta(hours=1))
    fail(ledger, run, [job], failure_from(spent, connection_id=ledger.tenant.hubspot))
    ledger.owner.execute("update zixly.workflow_jobs set due_at = now()")
    assert ledger.hand_over() == []
    change_partner(ledger, "parked_until = null")
    assert order_of(ledger.hand_over()) == [job.id]


def test_blocked_jobs_are_counted_as_parked_and_not_announced_over_and_over(ledger: TestLedger, database: TestDatabase) -> None:
    run, jobs = ledger.claimed(1)
    change_partner(ledger, "status = 'DISCONNECTED'")
    fail(ledger, run, jobs, reconnect_needed(ledger.tenant.hubspot))
    ledger.owner.execute("update zixly.workflow_jobs set due_at = now() - interval '1 hour'")
    assert states(database) == {"parked": 1}
    assert ledger.sweep().to_announce == {}
    assert due_in_seconds(ledger.dispatch, system="xero") is None


def test_a_job_that_needs_no_source_is_due_and_not_parked_while_its_source_is_disconnected(
    ledger: TestLedger, database: TestDatabase
) -> None:
    ledger.owner.execute("update zixly.workflows set needs_source = false")
    ledger.owner.execute("update zixly.connections set status = 'DISCONNECTED' where id = %s", (ledger.tenant.xero,))
    (job_id,) = ledger.add_jobs(1)
    assert states(database) == {"due": 1}
    assert order_of(ledger.hand_over()) == [job_id]


def test_a_disconnection_that_names_no_connection_ends_the_job(ledger: TestLedger) -> None:
    """Nobody would know when to go on."""
    run, (job,) = ledger.claimed(1)
    fail(ledger, run, [job], failure_from(Disconnected("Connect the account again.")))
    assert ledger.job(job.id)["status"] == "FAILED"


def test_a_connection_that_was_well_again_before_the_job_parked_holds_it_for_one_tick_at_most(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    fail(ledger, run, [job], reconnect_needed(ledger.tenant.hubspot))
    assert order_of(ledger.hand_over()) == [job.id]


def test_a_job_that_its_vendor_never_answers_comes_to_a_persons_notice_after_a_day(ledger: TestLedger) -> None:
    """Where nothing else is asked of an account, a request that always fails looks like an outage."""
    down = Failed("vendor_down", "Xero fails again and again.", permanent=False, parks=True, retry_after=timedelta())
    statuses: list[tuple[str, int]] = []
    (job_id,) = ledger.add_jobs(1)
    for age in ("1 hour", "23 hours", "25 hours", "26 hours", "27 hours"):
        ledger.owner.execute("update zixly.workflow_jobs set created_at = now() - %s::interval, due_at = now()", (age,))
        (batch,) = ledger.hand_over()
        run = ledger.run_of(batch, f"run-{age}")
        settle(ledger.runs, run, [JobEnd(job, down) for job in ledger.claim(run)], policy=POLICY, jitter=random.Random(1))
        statuses.append((ledger.job(job_id)["status"], ledger.job(job_id)["attempts"]))
    assert statuses == [("QUEUED", 0), ("QUEUED", 0), ("QUEUED", 1), ("QUEUED", 2), ("FAILED", 3)]
    assert ledger.job(job_id)["dead_letter"]
