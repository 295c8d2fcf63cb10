"""Runs that are killed at the worst moment, cancelled, too late, or told something that does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from dagster import DagsterRunStatus

from tests.integration.workflows.conftest import Killed, Stage, wait_for_heartbeats
from zixly_core.errors import StoreUnavailable
from zixly_core.job import JobStatus
from zixly_core.stores import cancel, effects
from zixly_core.stores.database import Database
from zixly_dagster.instance import run_in_worker
from zixly_dagster.ops import update_contacts, writing
from zixly_dagster.ops.story import show
from zixly_dagster.workflow import TENANT_ID_TAG
from zixly_sandbox.constants import ADA_IN_HUBSPOT, OPEN_INVOICE, PAID_INVOICE


def dies(*_: Any, **__: Any) -> Any:
    raise Killed


def test_a_run_killed_between_intent_and_write_leaves_one_write(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_guarded", dies)
        stage.run_killed(stage.batch_of(PAID_INVOICE), patch)
    assert stage.sandbox.writes() == []
    assert stage.rows("select state from zixly.effects") == [{"state": "INTENDED"}]
    stage.vanish()
    stage.run_due()
    job = stage.only_job()
    assert (job["status"], job["attempts"]) == (JobStatus.COMPLETED, 2)
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1


def test_a_run_that_broke_while_postgres_was_away_leaves_its_jobs_to_the_sweep(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed 1, short form: the worker lived on and its heart beat on, so that nobody took the jobs for an hour."""

    def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("Postgres is away.")

    with monkeypatch.context() as patch:
        patch.setattr(update_contacts, "carried_out", dies)
        patch.setattr(run_in_worker, "release_run", away)
        stage.run(stage.batch_of(PAID_INVOICE))
    assert stage.statuses() == [JobStatus.RUNNING]
    wait_for_heartbeats()
    stage.vanish()
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1


def test_a_run_killed_between_write_and_commit_leaves_one_write(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(effects, "keep_done", dies)
        stage.run_killed(stage.batch_of(PAID_INVOICE), patch)
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1
    stage.vanish()
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert stage.rows("select state from zixly.effects") == [{"state": "DONE"}]
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1


def test_a_run_killed_after_the_commit_leaves_one_write_and_the_state(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(update_contacts, "finish", dies)
        stage.run_killed(stage.batch_of(PAID_INVOICE), patch)
    stage.vanish()
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1
    (kept,) = stage.rows("select state from zixly.record_states where role = 'source'")
    assert kept["state"]["standing"] == "PAID"
    assert [row["outcome"] for row in stage.ledger.attempts(stage.only_job()["id"])] == ["vanished", "completed"]


def test_a_run_that_comes_too_late_ends_green_and_says_so(stage: Stage) -> None:
    batch = stage.batch_of(PAID_INVOICE)
    stage.run(batch)
    (report,) = stage.objects.rglob("report.json")
    kept = report.read_bytes()
    late = stage.run(batch)
    assert late.status is DagsterRunStatus.SUCCESS
    assert "Nothing left to do" in stage.shown(late, "claim_jobs")["summary"]
    assert "Nothing was left to do" in stage.shown(late, "conclude")["summary"]
    assert len(stage.sandbox.writes()) == 1
    assert stage.only_job()["attempts"] == 1
    assert report.read_bytes() == kept


def test_a_job_that_is_cancelled_while_running_stops_before_the_next_step(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = stage.batch_of(PAID_INVOICE, OPEN_INVOICE)
    chosen = stage.job_of(PAID_INVOICE)["id"]
    after_step(monkeypatch, lambda: cancelled(stage, chosen))
    run = stage.run(batch)
    assert run.status is DagsterRunStatus.SUCCESS, stage.failure_text(run)
    assert stage.job_of(PAID_INVOICE)["status"] == JobStatus.CANCELLED
    assert stage.job_of(OPEN_INVOICE)["status"] == JobStatus.COMPLETED
    assert stage.sandbox.writes() == []
    assert stage.shown(run, "conclude")["summary"] == "1 job ended well, 1 cancelled."


def after_step(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Do something between fetching the invoices and matching the contacts."""

    def show_and_act(*arguments: Any, **more: Any) -> None:
        show(*arguments, **more)
        act()

    monkeypatch.setattr("zixly_dagster.ops.fetch_invoices.show", show_and_act)


def cancelled(stage: Stage, job_id: UUID) -> None:
    database = Database(stage.database.url("api"), name="api")
    with database.transaction(tenant_id=stage.ledger.tenant.id) as connection:
        assert cancel.cancel_job(connection, job_id=job_id, actor="test") == JobStatus.RUNNING
    database.close()


def test_a_batch_that_does_not_exist_is_a_clear_failure(stage: Stage) -> None:
    unknown = uuid4()
    assert f"There is no batch {unknown}" in stage.failure_text(stage.run_told(str(unknown)))
    assert "is no UUID" in stage.failure_text(stage.run_told("the batch of yesterday"))


def test_a_batch_of_another_tenant_is_a_clear_failure_and_stays_untouched(stage: Stage) -> None:
    stage.batch_of(PAID_INVOICE)
    batch = str(stage.only_job()["batch_id"])
    run = stage.run_told(batch, **{TENANT_ID_TAG: str(uuid4())})
    assert "is not one of tenant" in stage.failure_text(run)
    job = stage.only_job()
    assert (job["status"], job["attempts"], job["run_id"]) == (JobStatus.QUEUED, 0, None)


def test_code_that_breaks_uses_up_an_attempt_and_gives_the_jobs_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(update_contacts, "folded", breaks)
        run = stage.run_invoices(PAID_INVOICE)
    assert run.status is DagsterRunStatus.FAILURE
    job = stage.only_job()
    assert (job["status"], job["attempts"], job["error_reason"]) == (JobStatus.QUEUED, 1, "unexpected_error")
    stage.run_due()
    assert stage.statuses() == [JobStatus.COMPLETED]


def test_a_run_that_ended_leaves_no_heartbeat_behind(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm worker does several runs a second; a thread that sleeps until its next beat would stay of each."""
    monkeypatch.setenv("ZIXLY_HEARTBEAT_SECONDS", "30")
    stage.run_invoices(PAID_INVOICE)
    wait_for_heartbeats()
