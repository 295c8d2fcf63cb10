"""The sweep: what vanished is taken back, what was forgotten is announced, within one pass."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.ledger import TestLedger
from zixly_core.stores.cancel import cancel_job
from zixly_core.stores.sweep import Begun


def test_jobs_of_a_vanished_run_go_on_in_another(ledger: TestLedger) -> None:
    _, (job,) = ledger.claimed(1)
    assert ledger.sweep().taken_back == ()
    ledger.lapse_leases()
    swept = ledger.sweep()
    assert swept.vanished_runs == ["run-1"]
    row = ledger.job(job.id)
    assert (row["status"], row["attempts"], row["run_id"], row["error_reason"]) == ("QUEUED", 1, None, "vanished")
    assert [one["outcome"] for one in ledger.attempts(job.id)] == ["vanished"]
    assert len(ledger.hand_over()) == 1


def test_a_job_that_kills_every_run_ends_as_a_dead_letter(ledger: TestLedger) -> None:
    ledger.add_jobs(1)
    for attempt in (1, 2, 3):
        (batch,) = ledger.hand_over()
        (job,) = ledger.claim(ledger.run_of(batch, f"run-{attempt}"))
        ledger.lapse_leases()
        ledger.sweep()
    row = ledger.job(job.id)
    assert (row["status"], row["attempts"], row["dead_letter"]) == ("FAILED", 3, True)
    assert ledger.hand_over() == []


def test_an_attempt_that_took_too_long_is_ended_as_a_timeout(ledger: TestLedger) -> None:
    _, (job,) = ledger.claimed(1)
    ledger.owner.execute("update zixly.workflow_jobs set started_at = now() - interval '2 hours'")
    ledger.lapse_leases()
    ledger.sweep()
    assert ledger.job(job.id)["error_reason"] == "timeout"


def test_a_job_that_was_to_be_cancelled_ends_cancelled_when_its_run_vanished(ledger: TestLedger) -> None:
    _, (job,) = ledger.claimed(1)
    with ledger.dispatch.transaction() as connection:
        assert cancel_job(connection, job_id=job.id, actor="ops") == "RUNNING"
    ledger.lapse_leases()
    ledger.sweep()
    assert ledger.job(job.id)["status"] == "CANCELLED"


@pytest.mark.parametrize("lane", ["live", "bulk"])
def test_a_batch_that_no_run_came_for_is_opened_and_its_late_run_finds_nothing(ledger: TestLedger, lane: str) -> None:
    ledger.add_jobs(2, record="8694c9c5", lane=lane)
    (batch,) = ledger.hand_over()
    assert ledger.sweep().released_batches == ()
    assert ledger.sweep(handover_timeout=timedelta(0)).released_batches == (batch.id,)
    assert ledger.claim(ledger.run_of(batch, "late")) == []
    assert len(ledger.hand_over()) == 1


def test_a_batch_whose_run_waits_in_a_queue_is_left_to_it(ledger: TestLedger) -> None:
    ledger.add_jobs(1, lane="bulk")
    (waiting,) = ledger.hand_over()
    ledger.add_jobs(1, lane="bulk")
    (forgotten,) = ledger.hand_over()
    assert ledger.sweep(handover_timeout=timedelta(0), begun=Begun(lately={waiting.id})).released_batches == (forgotten.id,)


def test_due_jobs_that_nobody_took_are_announced_again(ledger: TestLedger) -> None:
    (job_id,) = ledger.add_jobs(1)
    assert ledger.sweep().to_announce == {}
    ledger.owner.execute("update zixly.workflow_jobs set due_at = now() - interval '11 seconds'")
    assert ledger.sweep().to_announce == {"xero": [job_id]}


def test_a_batch_whose_jobs_all_ended_is_closed(ledger: TestLedger) -> None:
    _, (job,) = ledger.claimed(1)
    ledger.owner.execute("update zixly.workflow_jobs set status = 'COMPLETED' where id = %s", (job.id,))
    ledger.sweep()
    batch = ledger.owner.execute("select ended_at from zixly.batches").fetchone()
    assert batch is not None
    assert batch["ended_at"] is not None
