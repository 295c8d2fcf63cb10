"""Claims: one owner for each attempt, and nothing written by a run that lost its lease."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from tests.support.ledger import HOUR, LEASE, POLICY, TestLedger
from zixly_core.job import Completed, Failed, JobEnd, LogEntry, RelatedRecord
from zixly_core.stores.cancel import cancel_job, request_cancel_of_run, retry_job
from zixly_core.stores.claims import Progress, renew, save_progress, tenant_of_batch
from zixly_core.stores.release import release_run
from zixly_core.stores.settle import settle

BOOM = Failed("http_500", "Xero answered 500", permanent=False)
GONE = Failed("record_gone", "Invoice is gone", permanent=True)
STEADY = random.Random(7)


def test_a_run_takes_its_batchs_jobs_once(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(3)
    assert [job.attempts for job in jobs] == [1, 1, 1]
    assert ledger.claim(run) == jobs
    assert tenant_of_batch(ledger.runs, run.batch_id) == ledger.tenant.id


def test_a_second_run_of_the_same_batch_finds_nothing_to_claim(ledger: TestLedger) -> None:
    ledger.add_jobs(1)
    (batch,) = ledger.hand_over()
    assert len(ledger.claim(ledger.run_of(batch, "run-1"))) == 1
    assert ledger.claim(ledger.run_of(batch, "run-2")) == []


def test_a_run_that_lost_its_lease_can_no_longer_write(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(1)
    ledger.lapse_leases()
    save_progress(ledger.runs, run, [Progress(jobs[0], {"result": {"written": True}})])
    settled = settle(ledger.runs, run, [JobEnd(jobs[0], Completed())], policy=POLICY, jitter=STEADY)
    assert settled.lost == (jobs[0].id,)
    assert ledger.job(jobs[0].id)["checkpoint"] == {}
    assert ledger.job(jobs[0].id)["status"] == "RUNNING"


def test_a_run_whose_jobs_were_taken_over_can_no_longer_write(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(1)
    ledger.lapse_leases()
    ledger.sweep()
    (again,) = ledger.hand_over()
    assert len(ledger.claim(ledger.run_of(again, "run-2"))) == 1
    settled = settle(ledger.runs, run, [JobEnd(jobs[0], Completed({"by": "the old run"}))], policy=POLICY, jitter=STEADY)
    assert settled.lost == (jobs[0].id,)
    assert ledger.job(jobs[0].id)["run_id"] == "run-2"


def test_progress_is_merged_and_logged(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    record = RelatedRecord("xero", "invoice", job.record_id, "READ", url="https://go.xero.com/x")
    entry = LogEntry("fetch", "a NUL \x00 is left out", at=job.started_at, duration_ms=1.26)
    save_progress(ledger.runs, run, [Progress(job, {"a": 1}, [entry], [record])])
    save_progress(ledger.runs, run, [Progress(job, {"b": 2}, [], [record])])
    row = ledger.job(job.id)
    assert row["checkpoint"] == {"a": 1, "b": 2}
    assert [(one["step"], one.get("duration_ms")) for one in row["execution_log"]] == [("claim", None), ("fetch", 1.3)]
    kept = ledger.owner.execute("select action from zixly.workflow_related_records where job_id = %s", (job.id,)).fetchall()
    assert kept == [{"action": "READ"}]


def test_what_was_learned_is_written_with_the_end_and_of_lost_jobs_neither_is(ledger: TestLedger) -> None:
    run, (ended, going, lost) = ledger.claimed(3)
    ledger.owner.execute("update zixly.workflow_jobs set lease_until = now() where id = %s", (lost.id,))
    record = RelatedRecord("xero", "invoice", "1", "READ")
    learned = [Progress(job, {"a": 1}, [LogEntry("fetch", "read", at=job.started_at)], [record]) for job in (ended, going, lost)]
    ends = [JobEnd(ended, Completed({"ok": True})), JobEnd(lost, Completed())]
    settled = settle(ledger.runs, run, ends, learned=learned, policy=POLICY, jitter=STEADY)
    assert (settled.statuses, settled.lost) == ({ended.id: "COMPLETED"}, (lost.id,))
    rows = [ledger.job(job.id) for job in (ended, going, lost)]
    assert [(row["status"], row["checkpoint"], [one["step"] for one in row["execution_log"]]) for row in rows] == [
        ("COMPLETED", {"a": 1}, ["claim", "fetch"]),
        ("RUNNING", {"a": 1}, ["claim", "fetch"]),
        ("RUNNING", {}, ["claim"]),
    ]
    related = ledger.owner.execute("select job_id from zixly.workflow_related_records order by job_id").fetchall()
    assert [row["job_id"] for row in related] == sorted([ended.id, going.id])


def test_jobs_that_the_run_knows_are_not_read_again_until_somebody_else_had_them(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(2)
    known = {job.id: replace(job, checkpoint={"as": "carried"}) for job in jobs}
    assert ledger.claim(run, known=known) == list(known.values())
    ledger.owner.execute("update zixly.workflow_jobs set fence = fence + 1 where id = %s", (jobs[0].id,))
    assert [(job.fence, job.checkpoint) for job in ledger.claim(run, known=known)] == [(2, {}), (1, {})]
    assert ledger.claim(run, known={jobs[0].id: jobs[0]}) == ledger.claim(run)


def test_a_run_that_knows_its_jobs_still_hears_of_a_cancel_and_of_their_loss(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(2)
    known = {job.id: job for job in jobs}
    with ledger.dispatch.transaction() as connection:
        cancel_job(connection, job_id=jobs[0].id, actor="ada")
    assert [job.cancel_requested for job in ledger.claim(run, known=known)] == [True, False]
    ledger.lapse_leases()
    ledger.sweep()
    assert ledger.claim(run, known=known) == []


def test_a_failed_attempt_is_tried_again_later_and_the_third_is_the_last(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    for attempt in (1, 2, 3):
        settled = settle(ledger.runs, run, [JobEnd(job, BOOM)], policy=POLICY, jitter=STEADY)
        if attempt == 3:
            break
        assert settled.statuses[job.id] == "QUEUED"
        assert ledger.hand_over() == [], "it is not due yet"
        ledger.owner.execute("update zixly.workflow_jobs set due_at = now()")
        (batch,) = ledger.hand_over()
        run = ledger.run_of(batch, f"run-{attempt + 1}")
        (job,) = ledger.claim(run)
    row = ledger.job(job.id)
    assert (row["status"], row["attempts"], row["dead_letter"], row["error_reason"]) == ("FAILED", 3, True, "http_500")
    assert [one["outcome"] for one in ledger.attempts(job.id)] == ["retry", "retry", "failed"]


def test_a_permanent_failure_ends_the_job_at_once_and_leaves_its_neighbours_alone(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(2)
    settle(ledger.runs, run, [JobEnd(jobs[0], GONE), JobEnd(jobs[1], Completed({"ok": True}))], policy=POLICY, jitter=STEADY)
    assert [ledger.job(job.id)["status"] for job in jobs] == ["FAILED", "COMPLETED"]
    batch = ledger.owner.execute("select ended_at from zixly.batches").fetchone()
    assert batch is not None
    assert batch["ended_at"] is not None


def test_a_parked_job_uses_up_no_attempt(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    parked = Failed("budget_spent", "The day's calls are used up", permanent=False, parks=True, retry_after=timedelta(hours=3))
    settle(ledger.runs, run, [JobEnd(job, parked)], policy=POLICY, jitter=STEADY)
    row = ledger.job(job.id)
    assert (row["status"], row["attempts"], row["parked_reason"]) == ("QUEUED", 0, "budget_spent")


def test_the_heartbeat_stops_renewing_an_attempt_that_takes_too_long(ledger: TestLedger) -> None:
    run, _ = ledger.claimed(1)
    assert renew(ledger.runs, run, lease=LEASE, timeout=HOUR) == 1
    ledger.owner.execute("update zixly.workflow_jobs set started_at = now() - interval '61 minutes'")
    assert renew(ledger.runs, run, lease=LEASE, timeout=HOUR) == 0


def test_re_executing_a_run_takes_its_unfinished_jobs_from_their_checkpoints(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(3)
    save_progress(ledger.runs, run, [Progress(jobs[0], {"invoice": {"id": "1"}})])
    ends = [JobEnd(jobs[0], GONE), JobEnd(jobs[1], Completed()), JobEnd(jobs[2], BOOM)]
    settle(ledger.runs, run, ends, policy=POLICY, jitter=STEADY)
    again = ledger.claim(type(run)("run-2", run.batch_id, run.tenant_id, earlier=("run-1",)))
    assert [job.id for job in again] == [jobs[0].id, jobs[2].id]
    assert again[0].checkpoint == {"invoice": {"id": "1"}}
    assert ledger.claim(type(run)("run-3", run.batch_id, run.tenant_id, earlier=("run-1",))) == []


def test_a_run_that_is_stopped_hands_its_jobs_back_without_using_up_an_attempt(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    assert release_run(ledger.runs, run, interrupted=True, policy=POLICY, jitter=STEADY) is not None
    row = ledger.job(job.id)
    assert (row["status"], row["attempts"], row["batch_id"]) == ("QUEUED", 0, None)
    assert [one["outcome"] for one in ledger.attempts(job.id)] == ["handed_back"]
    assert len(ledger.hand_over()) == 1
    assert release_run(ledger.runs, run, interrupted=True, policy=POLICY, jitter=STEADY) is None


def test_a_run_whose_code_broke_fails_an_attempt(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    release_run(ledger.runs, run, interrupted=False, policy=POLICY, jitter=STEADY)
    row = ledger.job(job.id)
    assert (row["status"], row["attempts"], row["error_reason"]) == ("QUEUED", 1, "unexpected_error")


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_is_asked_to_stop(ledger: TestLedger) -> None:
    (queued,) = ledger.add_jobs(1)
    with ledger.dispatch.transaction() as connection:
        assert cancel_job(connection, job_id=queued, actor="ops@zixly.example") == "CANCELLED"
    run, (running,) = ledger.claimed(1)
    with ledger.dispatch.transaction() as connection:
        assert request_cancel_of_run(connection, run_id=run.run_id, batch_id=run.batch_id, actor="ops") == [running.id]
    assert ledger.claim(run)[0].cancel_requested
    release_run(ledger.runs, run, interrupted=True, policy=POLICY, jitter=STEADY)
    assert ledger.job(running.id)["status"] == "CANCELLED"
    audited = ledger.owner.execute("select action, subject from zixly.audit_log order by at").fetchall()
    assert [one["subject"] for one in audited] == [str(queued), str(running.id)]


def test_a_failed_job_can_be_put_back_by_hand(ledger: TestLedger) -> None:
    run, (job,) = ledger.claimed(1)
    settle(ledger.runs, run, [JobEnd(job, GONE)], policy=POLICY, jitter=STEADY)
    with ledger.owner.transaction():
        assert retry_job(ledger.owner, job_id=job.id, actor="ops") == "QUEUED"
    (batch,) = ledger.hand_over()
    assert [one.id for one in ledger.claim(ledger.run_of(batch, "run-2"))] == [job.id]


def test_another_tenants_batch_cannot_be_claimed(ledger: TestLedger) -> None:
    ledger.add_jobs(1)
    (batch,) = ledger.hand_over()
    other = ledger.add_tenant("other")
    stranger = type(ledger.run_of(batch))("run-9", batch.id, other.id)
    assert ledger.claim(stranger) == []


def test_the_heartbeat_and_the_step_beside_it_never_wait_for_each_other_in_a_circle(ledger: TestLedger) -> None:
    """Both lock many jobs of one batch; in different orders Postgres ended one of them as a deadlock."""
    run, jobs = ledger.claimed(80)
    shuffled = random.Random(1).sample(jobs, len(jobs))
    over = threading.Event()

    def beat() -> int:
        beats = 0
        while not over.is_set():
            renew(ledger.runs, run, lease=LEASE, timeout=HOUR)
            beats += 1
        return beats

    with ThreadPoolExecutor(1) as pool:
        beating = pool.submit(beat)
        try:
            for turn in range(60):
                save_progress(ledger.runs, run, [Progress(job, checkpoint={"turn": turn}) for job in shuffled])
        finally:
            over.set()
        assert beating.result(timeout=30) > 0
    assert {ledger.job(job.id)["checkpoint"]["turn"] for job in jobs} == {59}
