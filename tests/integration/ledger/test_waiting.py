"""Waiting: a job waits for an outside service without a worker, is looked at in bulk, and goes on with the same attempt."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tests.support.ledger import HOUR, LEASE, POLICY, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.errors import Transient
from zixly_core.ids import new_id
from zixly_core.job import ClaimedJob, Completed, Failed, JobEnd, Waits
from zixly_core.looks import Looked, look
from zixly_core.stores.cancel import cancel_job
from zixly_core.stores.claims import Progress, RunIdentity, save_progress
from zixly_core.stores.database import Database
from zixly_core.stores.pipeline_counts import pipeline_counts
from zixly_core.stores.readings import read
from zixly_core.stores.settle import Settled, settle

STEADY = random.Random(7)
LOOK_AFTER = timedelta(seconds=10)
BOOM = Failed("http_500", "The service answered 500", permanent=False)


class Service:
    """What jobs wait for; counts how it is asked."""

    def __init__(self, *over: str) -> None:
        self.finished = set(over)
        self.calls: list[list[str]] = []
        self.is_away = False

    def over(self, ids: Sequence[str]) -> set[str]:
        self.calls.append(sorted(ids))
        if self.is_away:
            raise Transient("away")
        return self.finished.intersection(ids)


def waits(ledger: TestLedger, run: RunIdentity, jobs: Sequence[ClaimedJob]) -> Settled:
    """Each job waits for the sweep that is called like the job's record."""
    ends = [JobEnd(job, Waits(f"sweeps:{job.record_id}", look_after=LOOK_AFTER)) for job in jobs]
    return settle(ledger.runs, run, ends, policy=POLICY, jitter=STEADY)


def waiting_job(ledger: TestLedger, *, record: str = "sw_1") -> UUID:
    run, jobs = ledger.claimed(1, record=record)
    waits(ledger, run, jobs)
    return jobs[0].id


def looked(ledger: TestLedger, service: Service, *, timeout: timedelta = HOUR) -> Looked:
    return look(ledger.dispatch, {"sweeps": service}, timeout=timeout)


def make_due(ledger: TestLedger) -> None:
    ledger.owner.execute("update zixly.workflow_jobs set waiting_until = now() where waiting_until is not null")


def claimed_again(ledger: TestLedger, run_id: str = "run-2") -> tuple[RunIdentity, ClaimedJob]:
    (batch,) = ledger.hand_over()
    run = ledger.run_of(batch, run_id)
    (job,) = ledger.claim(run)
    return run, job


def states(database: TestDatabase) -> dict[str, int]:
    """Open jobs by why they are open, as metrics sees them."""
    metrics = Database(database.url("metrics"), name="metrics")
    try:
        counts = read(metrics, pipeline_counts)
    finally:
        metrics.close()
    return {one.state: one.jobs for one in counts.open_jobs}


def test_a_waiting_job_holds_neither_worker_nor_batch(ledger: TestLedger, database: TestDatabase) -> None:
    job = ledger.job(waiting_job(ledger))
    assert (job["status"], job["attempts"], job["waiting_for"]) == ("RUNNING", 1, "sweeps:sw_1")
    assert (job["lease_until"], job["run_id"], job["batch_id"]) == (None, None, None)
    assert ledger.attempts(job["id"]) == [], "its attempt goes on"
    open_batches = ledger.owner.execute("select from zixly.batches where ended_at is null").fetchall()
    assert open_batches == []
    assert states(database) == {"waiting": 1}


def test_the_sweep_leaves_waiting_jobs_alone(ledger: TestLedger) -> None:
    job_id = waiting_job(ledger)
    assert ledger.sweep().taken_back == ()
    assert ledger.job(job_id)["status"] == "RUNNING"


def test_a_job_is_looked_at_when_its_time_has_come_and_not_again_before_the_next(ledger: TestLedger) -> None:
    waiting_job(ledger)
    service = Service()
    assert looked(ledger, service).looked_at == 0, "its time has not come"
    make_due(ledger)
    assert looked(ledger, service).looked_at == 1
    assert looked(ledger, service).looked_at == 0
    assert service.calls == [["sw_1"]]


def test_five_hundred_waiting_jobs_of_two_tenants_are_looked_at_in_one_pass(ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    for tenant in (ledger.tenant, other):
        for number in range(250):
            ledger.add_jobs(
                1,
                tenant=tenant,
                record=f"{tenant.id}-{number}",
                status="RUNNING",
                attempts=1,
                started_at=datetime.now().astimezone(),
                waiting_until=datetime.now().astimezone() - timedelta(seconds=1),
                waiting_for=f"sweeps:{tenant.id}-{number}",
            )
    service = Service(*(f"{tenant.id}-{number}" for tenant in (ledger.tenant, other) for number in range(0, 250, 5)))
    result = looked(ledger, service)
    assert (result.looked_at, len(result.woken["xero"])) == (500, 100)
    assert [len(call) for call in service.calls] == [500]
    assert ledger.owner.execute("select count(*) as open from zixly.batches").fetchone() == {"open": 0}, "looking starts nothing"


def test_a_job_whose_wait_is_over_goes_on_with_the_same_attempt_from_its_checkpoint(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(1, record="sw_1")
    save_progress(ledger.runs, run, [Progress(jobs[0], {"sweep": "sw_1"})])
    waits(ledger, run, jobs)
    make_due(ledger)
    result = looked(ledger, Service("sw_1"))
    assert result.woken == {"xero": [jobs[0].id]}
    again, job = claimed_again(ledger)
    assert (job.attempts, job.checkpoint) == (1, {"sweep": "sw_1"})
    settle(ledger.runs, again, [JobEnd(job, Completed({"ok": True}))], policy=POLICY, jitter=STEADY)
    assert ledger.job(job.id)["status"] == "COMPLETED"
    assert [(one["attempt"], one["outcome"]) for one in ledger.attempts(job.id)] == [(1, "completed")]


def test_a_failure_after_the_wait_uses_up_the_one_attempt_and_the_next_is_the_second(ledger: TestLedger) -> None:
    waiting_job(ledger)
    make_due(ledger)
    looked(ledger, Service("sw_1"))
    run, job = claimed_again(ledger)
    settle(ledger.runs, run, [JobEnd(job, BOOM)], policy=POLICY, jitter=STEADY)
    ledger.owner.execute("update zixly.workflow_jobs set due_at = now()")
    _, job = claimed_again(ledger, "run-3")
    assert job.attempts == 2


def test_running_and_waiting_count_for_the_timeout_and_queueing_does_not(ledger: TestLedger) -> None:
    job_id = waiting_job(ledger)
    ledger.owner.execute("update zixly.workflow_jobs set started_at = now() - interval '40 minutes'")
    make_due(ledger)
    looked(ledger, Service("sw_1"))
    ledger.owner.execute("update zixly.workflow_jobs set due_at = now() - interval '5 hours'")
    run, job = claimed_again(ledger)
    ran = datetime.now().astimezone() - job.started_at
    assert timedelta(minutes=40) <= ran < timedelta(minutes=41)
    waits(ledger, run, [job])
    assert looked(ledger, Service(), timeout=timedelta(minutes=39)).given_up == 1
    assert ledger.job(job_id)["error_reason"] == "timeout"


def test_a_job_that_has_waited_for_an_hour_is_given_up_in_clear_words(ledger: TestLedger, database: TestDatabase) -> None:
    job_id = waiting_job(ledger)
    ledger.owner.execute("update zixly.workflow_jobs set started_at = now() - interval '61 minutes'")
    assert looked(ledger, Service("sw_1")).given_up == 1
    job = ledger.job(job_id)
    assert (job["status"], job["error_reason"], job["dead_letter"]) == ("FAILED", "timeout", True)
    assert "waited for sweeps:sw_1 until its attempt had taken 01:00:00" in job["error_message"]
    assert [one["outcome"] for one in ledger.attempts(job_id)] == ["timeout"]
    assert states(database) == {}


def test_a_service_that_cannot_be_asked_is_another_thing_than_one_that_is_not_done(ledger: TestLedger) -> None:
    job_id = waiting_job(ledger)
    make_due(ledger)
    service = Service("sw_1")
    service.is_away = True
    result = looked(ledger, service)
    assert (result.away, result.woken) == (["sweeps"], {})
    assert ledger.job(job_id)["status"] == "RUNNING"
    assert ledger.job(job_id)["waiting_until"] > datetime.now().astimezone() + timedelta(seconds=8)


def test_other_jobs_about_the_record_wait_until_the_waiting_one_has_ended(ledger: TestLedger) -> None:
    job_id = waiting_job(ledger, record="sw_1")
    ledger.add_jobs(1, record="sw_1")
    assert ledger.hand_over() == []
    with ledger.dispatch.transaction() as connection:
        cancel_job(connection, job_id=job_id, actor="ops")
    assert len(ledger.hand_over()) == 1


def test_a_waiting_job_is_cancelled_at_once(ledger: TestLedger) -> None:
    job_id = waiting_job(ledger)
    with ledger.dispatch.transaction() as connection:
        assert cancel_job(connection, job_id=job_id, actor="ops") == "CANCELLED"
    make_due(ledger)
    assert looked(ledger, Service("sw_1")).looked_at == 0
    assert [one["outcome"] for one in ledger.attempts(job_id)] == ["cancelled"]


def test_a_job_that_was_to_be_cancelled_before_it_waits_does_not_wait(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(1, record="sw_1")
    with ledger.dispatch.transaction() as connection:
        assert cancel_job(connection, job_id=jobs[0].id, actor="ops") == "RUNNING"
    waits(ledger, run, jobs)
    assert looked(ledger, Service()).given_up == 1
    assert ledger.job(jobs[0].id)["status"] == "CANCELLED"


def called_back(database: TestDatabase, job_id: UUID, event_id: UUID) -> None:
    """What intake writes for a callback, as its role."""
    intake = Database(database.url("intake"), name="intake")
    with intake.transaction() as connection:
        connection.execute(
            "update zixly.workflow_jobs set wake_event_id = %s, waiting_until = case when waiting_until is not null then now() end"
            " where id = %s and status in ('QUEUED', 'RUNNING') and wake_event_id is null",
            (event_id, job_id),
        )
    intake.close()


def test_a_callback_ends_the_wait_without_a_look(ledger: TestLedger, database: TestDatabase) -> None:
    job_id, event_id = waiting_job(ledger), new_id()
    called_back(database, job_id, event_id)
    assert states(database) == {"waiting": 1}
    _, job = claimed_again(ledger)
    assert (job.id, job.attempts, job.wake_event_id) == (job_id, 1, event_id)
    assert ledger.job(job_id)["waiting_until"] is None


def test_a_callback_that_comes_before_the_job_waits_is_not_missed(ledger: TestLedger, database: TestDatabase) -> None:
    run, jobs = ledger.claimed(1, record="sw_1")
    event_id = new_id()
    called_back(database, jobs[0].id, event_id)
    waits(ledger, run, jobs)
    _, job = claimed_again(ledger)
    assert job.wake_event_id == event_id


def test_a_callback_that_told_nothing_ends_no_second_wait(ledger: TestLedger, database: TestDatabase) -> None:
    job_id = waiting_job(ledger)
    called_back(database, job_id, new_id())
    run, job = claimed_again(ledger)
    waits(ledger, run, [job])
    assert ledger.hand_over() == []
    make_due(ledger)
    assert looked(ledger, Service()).looked_at == 1


def test_a_job_that_nobody_has_looked_at_for_minutes_is_unaccounted_for(ledger: TestLedger, database: TestDatabase) -> None:
    waiting_job(ledger)
    ledger.owner.execute("update zixly.workflow_jobs set waiting_until = now() - interval '3 minutes'")
    assert states(database) == {"unaccounted": 1}


def test_a_run_that_let_its_job_wait_can_no_longer_write_to_it(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(1, record="sw_1")
    waits(ledger, run, jobs)
    save_progress(ledger.runs, run, [Progress(jobs[0], {"late": True})])
    settled = settle(ledger.runs, run, [JobEnd(jobs[0], Completed())], policy=POLICY, jitter=STEADY)
    assert settled.lost == (jobs[0].id,)
    assert ledger.job(jobs[0].id)["checkpoint"] == {}


def test_a_run_that_dies_before_it_lets_its_job_wait_is_noticed_as_ever(ledger: TestLedger, database: TestDatabase) -> None:
    _, jobs = ledger.claimed(1, record="sw_1")
    called_back(database, jobs[0].id, new_id())
    ledger.lapse_leases()
    assert [one.outcome for one in ledger.sweep().taken_back] == ["vanished"]
    _, job = claimed_again(ledger)
    assert job.attempts == 2


def test_re_executing_the_run_that_let_a_job_wait_leaves_the_job_alone(ledger: TestLedger) -> None:
    run, jobs = ledger.claimed(1, record="sw_1")
    waits(ledger, run, jobs)
    again = RunIdentity("run-2", run.batch_id, run.tenant_id, earlier=(run.run_id,))
    assert ledger.claim(again, lease=LEASE) == []
    assert ledger.job(jobs[0].id)["status"] == "RUNNING"
