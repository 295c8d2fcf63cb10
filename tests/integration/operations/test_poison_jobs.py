"""A job that ends its worker takes nobody along: its batch is taken apart until it is alone."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import pytest

from tests.support.ledger import POLICY, TestLedger
from zixly_core.batching import Batch
from zixly_core.job import Completed, JobEnd
from zixly_core.stores.handover import HandoverLimits
from zixly_core.stores.settle import settle
from zixly_core.stores.sweep import Begun

ONE_SLOT = HandoverLimits(max_open_batches=100, slots=1, max_batch=80)


def work_on(ledger: TestLedger, batch: Batch, *, poison: set[UUID]) -> None:
    """What a worker does with a batch: all of it, or it dies of one of its jobs."""
    run = ledger.run_of(batch, f"run-{batch.id}")
    held = ledger.claim(run)
    if poison.isdisjoint(job.id for job in held):
        settle(ledger.runs, run, [JobEnd(job, Completed()) for job in held], policy=POLICY, jitter=random.Random(1))


def work_off(ledger: TestLedger, *, poison: set[UUID]) -> list[int]:
    """Until nothing is open: the sizes of the batches that it took."""
    sizes: list[int] = []
    while batches := ledger.hand_over(limits=ONE_SLOT):
        sizes += [len(batch.job_ids) for batch in batches]
        for batch in batches:
            work_on(ledger, batch, poison=poison)
        ledger.lapse_leases()
        ledger.sweep()
    return sizes


@pytest.mark.parametrize("used_up", [0, 2], ids=["fresh", "after two failures of another kind"])
def test_of_eighty_jobs_only_the_one_that_ends_its_worker_becomes_a_dead_letter(ledger: TestLedger, used_up: int) -> None:
    ids = ledger.add_jobs(80, attempts=used_up)
    sizes = work_off(ledger, poison={ids[40]})
    dead = [job_id for job_id in ids if ledger.job(job_id)["dead_letter"]]
    assert dead == [ids[40]]
    assert {ledger.job(job_id)["status"] for job_id in ids if job_id not in dead} == {"COMPLETED"}
    assert [one["outcome"] for one in ledger.attempts(ids[40])] == ["vanished"] * 3
    assert len({one["run_id"] for one in ledger.attempts(ids[40])}) == 3
    assert (sizes[0], max(sizes[1:]), len(sizes)) == (80, 9, 1 + 9 + 9)
    message = ledger.job(ids[40])["error_message"]
    assert f"So ended 3 of its {3 + used_up} attempts, the last one while nothing else was worked on." in message


def test_a_machine_that_goes_down_makes_no_dead_letters_and_few_calls(ledger: TestLedger) -> None:
    """Everything in hand is lost at once, and nobody is to blame."""
    ids = ledger.add_jobs(640)
    for batch in ledger.hand_over(limits=ONE_SLOT):
        ledger.claim(ledger.run_of(batch, f"run-{batch.id}"))
    ledger.lapse_leases()
    while ledger.sweep().taken_back:
        pass
    assert len(work_off(ledger, poison=set())) <= 72
    assert {ledger.job(job_id)["status"] for job_id in ids} == {"COMPLETED"}


def test_a_second_suspect_waits_until_the_first_is_out_of_hand(ledger: TestLedger) -> None:
    """One that takes the whole machine with it would make those beside it look guilty."""
    ids = ledger.add_jobs(3, lost_attempts=2, attempts=2)
    (batch,) = ledger.hand_over()
    assert ledger.hand_over() == []
    work_on(ledger, batch, poison=set())
    (second,) = ledger.hand_over()
    assert {batch.job_ids, second.job_ids} < {(one,) for one in ids}


def test_a_poison_job_that_is_retried_by_hand_is_alone_from_the_start(ledger: TestLedger) -> None:
    (poison, *_others) = ledger.add_jobs(2)
    work_off(ledger, poison={poison})
    ledger.owner.execute("update zixly.workflow_jobs set status = 'QUEUED', batch_id = null, due_at = now() where id = %s", (poison,))
    ledger.add_jobs(5)
    sizes = work_off(ledger, poison={poison})
    assert sorted(sizes) == [1, 5]
    assert ledger.job(poison)["status"] == "FAILED"


def test_a_job_whose_runs_die_before_they_claim_it_ends_after_three_of_them(ledger: TestLedger) -> None:
    """Such as one that is too large to be read."""
    (job_id,) = ledger.add_jobs(1)
    for run_id in ("run-1", "run-2", "run-3"):
        (batch,) = ledger.hand_over()
        swept = ledger.sweep(begun=Begun(died={batch.id: run_id}))
        assert (swept.vanished_runs, swept.released_batches) == ([run_id], (batch.id,))
    job = ledger.job(job_id)
    assert (job["status"], job["attempts"], job["dead_letter"], job["error_reason"]) == ("FAILED", 3, True, "vanished")
    assert [(one["run_id"], one["outcome"]) for one in ledger.attempts(job_id)] == [(f"run-{n}", "vanished") for n in (1, 2, 3)]
    assert ledger.hand_over() == []


def test_a_batch_that_no_worker_comes_for_is_handed_over_again_without_an_attempt(ledger: TestLedger) -> None:
    (job_id,) = ledger.add_jobs(1)
    for _ in range(5):
        (batch,) = ledger.hand_over()
        assert ledger.sweep(handover_timeout=timedelta(0)).released_batches == (batch.id,)
    assert (ledger.job(job_id)["attempts"], ledger.attempts(job_id)) == (0, [])


def test_a_batch_whose_run_has_just_begun_is_left_to_it(ledger: TestLedger) -> None:
    ledger.add_jobs(1)
    (batch,) = ledger.hand_over()
    assert ledger.sweep(handover_timeout=timedelta(0), begun=Begun(lately={batch.id})).released_batches == ()
    assert len(ledger.claim(ledger.run_of(batch))) == 1


def test_a_batch_that_was_claimed_meanwhile_is_not_taken_from_its_run(ledger: TestLedger) -> None:
    ledger.add_jobs(1)
    (batch,) = ledger.hand_over()
    (job,) = ledger.claim(ledger.run_of(batch))
    assert ledger.sweep(begun=Begun(died={batch.id: "run-1"})).taken_back == ()
    assert ledger.job(job.id)["status"] == "RUNNING"
