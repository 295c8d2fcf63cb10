"""*Re-execute* in the Dagster UI, whole and from failure: the run's unfinished jobs go on from their checkpoints."""

from __future__ import annotations

import pytest
from dagster import DagsterRun, DagsterRunStatus

from tests.integration.workflows.conftest import Stage
from tests.integration.workflows.sandbox_server import INVOICES_CALL, UPDATE_CALL
from zixly_core.job import JobStatus
from zixly_dagster.ops import keep_report
from zixly_sandbox.constants import ADA_IN_HUBSPOT, OPEN_INVOICE, PAID_INVOICE
from zixly_sandbox.faults import FaultKind


def failed_in_writing(stage: Stage) -> DagsterRun:
    """A run whose last attempt could not write."""
    stage.sandbox.fault(UPDATE_CALL, FaultKind.UNAVAILABLE, count=3)
    stage.run_invoices(PAID_INVOICE, OPEN_INVOICE)
    stage.run_due()
    run = stage.run_due()
    assert run.status is DagsterRunStatus.FAILURE
    assert stage.job_of(PAID_INVOICE)["status"] == JobStatus.FAILED
    return run


def test_re_executed_whole_a_run_goes_on_from_its_jobs_checkpoints(stage: Stage) -> None:
    red = failed_in_writing(stage)
    again = stage.run_again(red)
    assert again.status is DagsterRunStatus.SUCCESS, stage.failure_text(again)
    job = stage.job_of(PAID_INVOICE)
    assert (job["status"], job["attempts"], job["dead_letter"]) == (JobStatus.COMPLETED, 4, False)
    assert job["error_reason"] is None
    assert stage.sandbox.calls()["xero GET /Invoices"] == 1
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1


def test_re_executed_from_failure_a_run_hands_its_failed_jobs_to_a_new_one(stage: Stage) -> None:
    red = failed_in_writing(stage)
    again = stage.run_again(red, from_failure=True)
    assert stage.steps_of(again) == ["conclude"]
    assert again.status is DagsterRunStatus.SUCCESS, stage.failure_text(again)
    assert stage.job_of(PAID_INVOICE)["status"] == JobStatus.QUEUED
    assert stage.shown(again, "conclude")["summary"] == "0 jobs ended well, 1 go on in another run."
    last = stage.run_due()
    assert last.status is DagsterRunStatus.SUCCESS, stage.failure_text(last)
    assert stage.job_of(PAID_INVOICE)["status"] == JobStatus.COMPLETED
    assert stage.sandbox.calls()["xero GET /Invoices"] == 1
    assert len(stage.sandbox.writes(ADA_IN_HUBSPOT)) == 1


def test_a_green_run_that_is_re_executed_does_nothing(stage: Stage) -> None:
    green = stage.run_invoices(PAID_INVOICE)
    again = stage.run_again(green)
    assert again.status is DagsterRunStatus.SUCCESS
    assert stage.only_job()["attempts"] == 1
    assert len(stage.sandbox.writes()) == 1


def test_re_executing_takes_jobs_that_still_wait_for_their_next_try(stage: Stage) -> None:
    stage.sandbox.fault(INVOICES_CALL, FaultKind.UNAVAILABLE)
    green = stage.run_invoices(PAID_INVOICE)
    assert stage.statuses() == [JobStatus.QUEUED]
    stage.run_again(green)
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert len(stage.sandbox.writes()) == 1


def test_the_report_of_a_re_executed_batch_still_tells_of_all_its_jobs(stage: Stage) -> None:
    gone = "99999999-9999-4999-8999-999999999999"
    red = stage.run_invoices(PAID_INVOICE, gone)
    stage.run_again(red)
    (report,) = stage.objects.rglob("report.json")
    text = report.read_text()
    assert PAID_INVOICE in text
    assert gone in text


def test_a_step_that_broke_is_repeated_from_failure_with_the_steps_after_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> bytes:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(keep_report, "report_of", breaks)
        red = stage.run_invoices(PAID_INVOICE)
    assert red.status is DagsterRunStatus.FAILURE
    assert stage.only_job()["error_reason"] == "unexpected_error"
    again = stage.run_again(red, from_failure=True)
    assert stage.steps_of(again) == ["keep_report", "settle_jobs", "conclude"]
    assert again.status is DagsterRunStatus.SUCCESS, stage.failure_text(again)
    assert stage.statuses() == [JobStatus.COMPLETED]
    assert len(stage.sandbox.writes()) == 1
