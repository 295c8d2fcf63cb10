from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from dagster import DagsterRun, DagsterRunStatus
from dagster._core.events import DagsterEvent, JobFailureData, RunFailureReason
from sqlalchemy.exc import OperationalError

from zixly_dagster.instance import run_in_worker as module
from zixly_dagster.instance.run_in_worker import RunEnd, conclude, end_told_by, is_to_be_executed


@dataclass
class Instance:
    """Dagster's instance as `conclude` uses it; it can be away for a while."""

    status: DagsterRunStatus
    times_away: int = 0
    reported: list[str] = field(default_factory=list)

    def get_run_by_id(self, run_id: str) -> DagsterRun:
        if self.times_away:
            self.times_away -= 1
            raise OperationalError("select", {}, Exception("the server is away"))
        return DagsterRun(job_name="a_job", run_id=run_id, status=self.status)

    def report_run_failed(self, _run: DagsterRun, _message: str) -> None:
        self.reported.append("failed")

    def report_run_canceled(self, _run: DagsterRun, _message: str) -> None:
        self.reported.append("canceled")


RUN_ID = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    "status", [one for one in DagsterRunStatus if one is not DagsterRunStatus.QUEUED]
)  # a queued one needs an origin to exist
def test_only_a_run_that_nobody_has_begun_or_ended_is_executed(status: DagsterRunStatus) -> None:
    """Stock marks a run as failed when a second worker gets it while the first executes it."""
    expected = status in {DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING}
    assert is_to_be_executed(DagsterRun(job_name="a_job", status=status)) is expected


def failure(reason: RunFailureReason) -> DagsterEvent:
    data = JobFailureData(error=None, failure_reason=reason, first_step_failure_event=None)
    return DagsterEvent(event_type_value="PIPELINE_FAILURE", job_name="a_job", event_specific_data=data, message="")


def test_a_run_whose_worker_was_stopped_is_told_from_one_whose_work_failed() -> None:
    assert end_told_by(failure(RunFailureReason.UNEXPECTED_TERMINATION)) is RunEnd.INTERRUPTED
    assert end_told_by(failure(RunFailureReason.STEP_FAILURE)) is RunEnd.FAILURE
    assert end_told_by(DagsterEvent(event_type_value="STEP_START", job_name="a_job", message="")) is None


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        (DagsterRunStatus.SUCCESS, []),
        (DagsterRunStatus.CANCELED, []),
        (DagsterRunStatus.STARTED, ["failed"]),
        (DagsterRunStatus.STARTING, ["failed"]),
        (DagsterRunStatus.CANCELING, ["canceled"]),
    ],
)
def test_a_run_whose_end_was_not_written_gets_one(status: DagsterRunStatus, reported: list[str]) -> None:
    instance = Instance(status)
    conclude(RUN_ID, instance)  # type: ignore[arg-type]
    assert instance.reported == reported


def test_the_end_is_kept_in_hand_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zixly_dagster.instance.run_in_worker.time.sleep", lambda _seconds: None)
    instance = Instance(DagsterRunStatus.STARTED, times_away=3)
    conclude(RUN_ID, instance)  # type: ignore[arg-type]
    assert instance.reported == ["failed"]


def test_a_database_that_stays_away_does_not_hold_the_worker_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONCLUDE_WITHIN", timedelta(0))
    instance = Instance(DagsterRunStatus.STARTED, times_away=1_000_000)
    conclude(RUN_ID, instance)  # type: ignore[arg-type]
    assert instance.reported == []
