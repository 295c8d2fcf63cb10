"""What happens to the jobs that a run holds when the run is cancelled, stopped or killed."""

from __future__ import annotations

from uuid import UUID

import pytest
from dagster import DagsterRun, DagsterRunStatus

from tests.integration.instance.conftest import Stack, until
from tests.support.busy import longest
from tests.support.ledger import TestLedger
from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.leases import Lease
from zixly_dagster.instance.launcher import WarmRunLauncher
from zixly_dagster.instance.run_ledger import PostgresRunLedger
from zixly_dagster.workflow import BATCH_TAG, LANE_TAG, TENANT_ID_TAG, run_config_of


def launch_batch(stack: Stack, ledger: TestLedger, *, jobs: int = 2) -> tuple[DagsterRun, list[UUID]]:
    """A launched run that holds its batch's jobs for half a minute."""
    ids = ledger.add_jobs(jobs)
    batch = ledger.hand_over()[0]
    tags = {LANE_TAG: "live", BATCH_TAG: str(batch.id), TENANT_ID_TAG: str(batch.tenant_id)}
    run = stack.run_of("hold_batch", tags=tags, run_config=run_config_of(batch.id))
    stack.launch(run)
    return run, [one for one in ids if one in batch.job_ids]


def statuses(ledger: TestLedger, ids: list[UUID]) -> set[str]:
    return {ledger.job(one)["status"] for one in ids}


def test_a_cancelled_run_leaves_its_jobs_cancelled(stack: Stack, ledger: TestLedger) -> None:
    stack.start_worker()
    run, ids = launch_batch(stack, ledger)
    stack.wait_for_step(run)
    assert statuses(ledger, ids) == {"RUNNING"}
    assert stack.instance.run_launcher.terminate(run.run_id)
    assert stack.wait_for(run, seconds=10) is DagsterRunStatus.CANCELED
    until(lambda: statuses(ledger, ids) == {"CANCELLED"}, seconds=5, what="the jobs are cancelled")
    assert {ledger.attempts(one)[-1]["outcome"] for one in ids} == {"cancelled"}


def test_a_run_that_is_cancelled_before_a_worker_came_leaves_its_jobs_cancelled(stack: Stack, ledger: TestLedger) -> None:
    run, ids = launch_batch(stack, ledger)
    assert stack.instance.run_launcher.terminate(run.run_id)
    assert stack.status(run) is DagsterRunStatus.CANCELED
    assert statuses(ledger, ids) == {"CANCELLED"}


def test_a_run_can_be_cancelled_while_the_broker_is_away(stack: Stack, ledger: TestLedger) -> None:
    run, ids = launch_batch(stack, ledger)
    stack.valkey.kill()
    assert stack.instance.run_launcher.terminate(run.run_id)
    assert stack.status(run) is DagsterRunStatus.CANCELED
    assert statuses(ledger, ids) == {"CANCELLED"}
    assert any("broker is away" in message for message in stack.messages(run))


def test_a_stopped_worker_gives_jobs_back_without_using_up_an_attempt(stack: Stack, ledger: TestLedger) -> None:
    worker = stack.start_worker()
    run, ids = launch_batch(stack, ledger)
    stack.wait_for_step(run)
    worker.stop(seconds=longest(10))
    assert stack.status(run) is DagsterRunStatus.FAILURE
    jobs = [ledger.job(one) for one in ids]
    assert {job["status"] for job in jobs} == {"QUEUED"}
    assert {job["attempts"] for job in jobs} == {0}
    assert {job["batch_id"] for job in jobs} == {None}
    assert {ledger.attempts(one)[-1]["outcome"] for one in ids} == {"handed_back"}


def test_a_killed_worker_leaves_its_jobs_to_the_sweep(stack: Stack, ledger: TestLedger) -> None:
    worker = stack.start_worker()
    run, ids = launch_batch(stack, ledger)
    stack.wait_for_step(run)
    worker.kill()
    ledger.lapse_leases()
    launcher = stack.instance.run_launcher
    reloaded = stack.instance.get_run_by_id(run.run_id)
    assert reloaded is not None
    assert launcher.check_run_worker_health(reloaded).status.value == "FAILED"
    assert ledger.sweep().vanished_runs == [run.run_id]
    assert statuses(ledger, ids) == {"QUEUED"}


def test_the_lease_of_a_run_is_told_from_the_rows(stack: Stack, ledger: TestLedger) -> None:
    leases = PostgresRunLedger()
    assert leases.lease_of("run-1") is Lease.NONE
    ledger.claimed()
    assert leases.lease_of("run-1") is Lease.LIVE
    ledger.lapse_leases()
    assert leases.lease_of("run-1") is Lease.LAPSED


def test_a_run_without_jobs_and_a_ledger_that_is_away_condemn_no_run(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = stack.instance.run_launcher
    assert isinstance(launcher, WarmRunLauncher)
    run = stack.run_of("five_steps")
    assert launcher.check_run_worker_health(run).status.value == "RUNNING"
    monkeypatch.setenv("ZIXLY_DATABASE_URL_DISPATCH", "postgresql://nobody:nothing@127.0.0.1:9/none")
    unknown = launcher.check_run_worker_health(run)
    assert unknown.status.value == "UNKNOWN"
    assert unknown.transient


def test_a_late_run_finds_nothing_to_claim_and_ends_green(stack: Stack, ledger: TestLedger) -> None:
    stack.start_worker()
    ids = ledger.add_jobs(1)
    batch = ledger.hand_over()[0]
    ledger.claim(RunIdentity(run_id="another", batch_id=batch.id, tenant_id=batch.tenant_id))
    tags = {LANE_TAG: "live", BATCH_TAG: str(batch.id), TENANT_ID_TAG: str(batch.tenant_id)}
    run = stack.run_of("claim_only", tags=tags, run_config=run_config_of(batch.id))
    stack.launch(run)
    assert stack.wait_for(run) is DagsterRunStatus.SUCCESS
    assert ledger.job(ids[0])["run_id"] == "another"


def test_jobs_that_a_green_run_forgot_are_not_held_for_ever(stack: Stack, ledger: TestLedger) -> None:
    """ "Re-execute" of a few ops claims, and may never come to the op that settles."""
    worker = stack.start_worker()
    ids = ledger.add_jobs(1)
    batch = ledger.hand_over()[0]
    tags = {LANE_TAG: "live", BATCH_TAG: str(batch.id), TENANT_ID_TAG: str(batch.tenant_id)}
    run = stack.run_of("claim_only", tags=tags, run_config=run_config_of(batch.id))
    stack.launch(run)
    assert stack.wait_for(run) is DagsterRunStatus.SUCCESS
    until(lambda: "jobs_released" in worker.said, seconds=5, what="the jobs are released")
    assert statuses(ledger, ids) == {"QUEUED"}
