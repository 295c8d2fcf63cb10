"""`trading-sweep` by polling: started once, waited for without a worker, kept when it is finished."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from dagster import DagsterRunStatus, SkipReason, build_sensor_context

from tests.integration.workflows.conftest import Killed, Stage
from tests.integration.workflows.sweeps import START_CALL, STATES_CALL, SWEEP_WORKFLOW, WANTED, SweepStage
from tests.support.busy import longest
from tests.support.definitions import dagster_without_warnings
from zixly_core import process
from zixly_core.job import JobStatus
from zixly_core.stores import effects
from zixly_core.stores.cancel import cancel_job, retry_job
from zixly_dagster.ops import sweeps_start
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.resources.sweeps import SweepsResource
from zixly_dagster.sensors.waiting import waiting_sensor
from zixly_sandbox.faults import FaultKind
from zixly_sandbox.sweeps.wishes import wish_from


@pytest.fixture
def sweeps(stage: Stage) -> SweepStage:
    return SweepStage(stage)


def dies(*_: Any, **__: Any) -> Any:
    raise Killed


def test_a_sweep_is_started_waited_for_and_kept_with_one_attempt(sweeps: SweepStage) -> None:
    job_id = sweeps.waiting()
    assert sweeps.job(job_id)["waiting_for"] == f"sweeps:{sweeps.only_sweep().id}"
    assert sweeps.look().woken == {}, "it is not finished yet"
    assert sweeps.hand_over() == []
    sweeps.finish()
    assert sweeps.look().woken == {"callbacks": [job_id]}
    run = sweeps.run()
    assert run.status is DagsterRunStatus.SUCCESS, sweeps.stage.failure_text(run)
    job = sweeps.job(job_id)
    assert (job["status"], job["attempts"]) == (JobStatus.COMPLETED, 1)
    assert sweeps.outcomes(job_id) == [(1, "completed")]
    assert [write.properties for write in sweeps.started()] == [WANTED]
    assert sweeps.stage.related(job_id) == {
        ("sweeps", "sweep", sweeps.only_sweep().id, "CREATE"),
        ("sweeps", "sweep", sweeps.only_sweep().id, "READ"),
    }


def test_the_result_names_the_best_pair_and_the_documents_hold_all(sweeps: SweepStage) -> None:
    job_id = sweeps.waiting()
    sweeps.finish()
    sweeps.look()
    sweeps.run()
    result, told = sweeps.job(job_id)["result"], sweeps.desk.result_of(sweeps.only_sweep())
    assert told is not None
    best = told["pairs"][0]
    assert result["best"] == {name: best[name] for name in ("fast", "slow", "total_return", "sharpe")}
    assert (result["pairs"], result["ticker"], result["strategy_type"]) == (28, "BHP.AX", "SMA")
    assert result["csv"] == f"{sweeps.ledger.tenant.id}/{job_id}/sweep.csv"
    lines = (sweeps.stage.objects / result["csv"]).read_bytes().decode().split("\r\n")
    assert lines[0] == "fast,slow,total_return,sharpe,max_drawdown,trades"
    assert lines[1].split(",")[:2] == [str(best["fast"]), str(best["slow"])]
    assert len(lines) == 1 + 28 + 1
    assert orjson.loads((sweeps.stage.objects / result["json"]).read_bytes()) == told


def test_a_sweep_that_is_finished_at_once_is_not_waited_for(sweeps: SweepStage) -> None:
    sweeps.stage.sandbox.sandbox.rules.sweeps.seconds = 0
    job_id = sweeps.ask(fast_range=[1, 1], slow_range=[2, 2])
    sweeps.run()
    if sweeps.status(job_id) is JobStatus.RUNNING:  # its computing was slower than our next call
        sweeps.look()
        sweeps.run()
    assert sweeps.outcomes(job_id) == [(1, "completed")]


def test_a_sweep_that_takes_more_than_an_hour_is_given_up_and_a_retry_waits_on_for_the_same(sweeps: SweepStage) -> None:
    job_id = sweeps.waiting()
    sweeps.ledger.owner.execute("update zixly.workflow_jobs set started_at = started_at - interval '1 hour'")
    assert sweeps.look().given_up == 1
    job = sweeps.job(job_id)
    assert (job["status"], job["error_reason"], job["dead_letter"]) == (JobStatus.FAILED, "timeout", True)
    assert "was given up" in job["error_message"]
    retry_job(sweeps.ledger.owner, job_id=job_id, actor="ops")
    sweeps.run()
    assert sweeps.status(job_id) is JobStatus.RUNNING
    sweeps.finish()
    sweeps.look()
    sweeps.run()
    assert sweeps.outcomes(job_id) == [(1, "timeout"), (2, "completed")]
    assert len(sweeps.started()) == 1


def test_a_sweep_that_fails_at_the_service_ends_the_job_and_a_retry_starts_another(sweeps: SweepStage) -> None:
    job_id = sweeps.waiting()
    sweeps.only_sweep().failure = "no_prices"
    sweeps.finish()
    sweeps.look()
    run = sweeps.run()
    assert run.status is DagsterRunStatus.FAILURE
    job = sweeps.job(job_id)
    assert (job["status"], job["error_reason"]) == (JobStatus.FAILED, "sweep_failed")
    assert "(no_prices)" in job["error_message"]
    retry_job(sweeps.ledger.owner, job_id=job_id, actor="ops")
    sweeps.run()
    assert len(sweeps.started()) == 2
    sweeps.finish()
    sweeps.look()
    sweeps.run()
    assert sweeps.status(job_id) is JobStatus.COMPLETED


def test_a_sweep_that_the_service_forgot_ends_the_job_in_clear_words(sweeps: SweepStage) -> None:
    job_id = sweeps.waiting()
    sweeps.desk.sweeps.clear()
    sweeps.look()
    sweeps.run()
    assert sweeps.job(job_id)["error_reason"] == "sweep_gone"


def test_a_job_that_is_cancelled_while_it_waits_is_not_looked_at_any_more(sweeps: SweepStage) -> None:
    job_id = sweeps.waiting()
    with sweeps.ledger.dispatch.transaction() as connection:
        assert cancel_job(connection, job_id=job_id, actor="ops") == JobStatus.CANCELLED
    sweeps.finish()
    assert sweeps.look().looked_at == 0
    assert sweeps.hand_over() == []
    assert sweeps.outcomes(job_id) == [(1, "cancelled")]


def test_a_worker_that_is_killed_while_the_job_waits_changes_nothing(sweeps: SweepStage) -> None:
    job_id = sweeps.waiting()
    sweeps.stage.vanish()
    assert sweeps.status(job_id) is JobStatus.RUNNING
    sweeps.finish()
    sweeps.look()
    sweeps.run()
    assert sweeps.outcomes(job_id) == [(1, "completed")]


@pytest.mark.parametrize("place", ["before the effect is kept", "before the checkpoint"])
def test_a_worker_that_is_killed_after_the_start_starts_no_second_sweep(
    sweeps: SweepStage, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    job_id = sweeps.ask()
    (batch,) = sweeps.hand_over()
    with monkeypatch.context() as patch:
        if place == "before the effect is kept":
            patch.setattr(effects, "keep_done", dies)
        else:
            patch.setattr(sweeps_start, "keep_outcomes", dies)
        sweeps.stage.run_killed(batch, patch)
    assert len(sweeps.started()) == 1
    sweeps.stage.vanish()
    sweeps.run_due()
    sweeps.finish()
    sweeps.look()
    sweeps.run()
    assert sweeps.outcomes(job_id) == [(1, "vanished"), (2, "completed")]
    assert len(sweeps.started()) == 1


@pytest.mark.parametrize("kind", [FaultKind.DISCONNECT_AFTER, FaultKind.DISCONNECT_BEFORE, FaultKind.UNAVAILABLE])
def test_a_start_whose_answer_is_lost_is_tried_again_and_starts_one_sweep(sweeps: SweepStage, kind: FaultKind) -> None:
    sweeps.fault(START_CALL, kind)
    job_id = sweeps.ask()
    sweeps.run()
    assert (sweeps.status(job_id), sweeps.outcomes(job_id)) == (JobStatus.QUEUED, [(1, "retry")])
    sweeps.run_due()
    assert sweeps.status(job_id) is JobStatus.RUNNING
    assert len(sweeps.started()) == 1


def test_a_service_that_is_away_is_waited_for_and_asked_again(sweeps: SweepStage) -> None:
    job_id = sweeps.waiting()
    sweeps.finish()
    sweeps.fault(STATES_CALL, FaultKind.UNAVAILABLE)
    assert sweeps.look().away == ["sweeps"]
    assert sweeps.status(job_id) is JobStatus.RUNNING
    assert sweeps.look().woken == {"callbacks": [job_id]}


def test_the_sensor_announces_the_jobs_whose_wait_is_over(sweeps: SweepStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIXLY_DATABASE_URL_DISPATCH", sweeps.stage.database.url("dispatch"))
    monkeypatch.setattr(process, "_queues", {})
    job_id = sweeps.waiting()
    sweeps.finish()
    sweeps.make_looks_due()
    with dagster_without_warnings():
        dispatchers = DispatchersResource()
        told = waiting_sensor()(build_sensor_context(resources={"dispatchers": dispatchers, "sweeps": SweepsResource()}))
    assert isinstance(told, SkipReason)
    assert told.skip_message == "1 waiting jobs looked at, 1 of them due now."
    (message,) = dispatchers.queue_of("callbacks").take(limit=1, wait=timedelta())
    assert message.job_ids == (job_id,)
    sweeps.run()
    counted = sweeps.stage.rows("select job_type, status, value from zixly.job_counters where name = 'api_calls' order by 1")
    told = {(row["job_type"], row["status"]): row["value"] for row in counted}
    assert told == {("sweeps GET /", "200"): 3, ("sweeps GET /{id}/result", "200"): 1, ("sweeps POST /", "202"): 1}


def test_what_cannot_be_carried_out_fails_without_a_call(sweeps: SweepStage) -> None:
    """It was valid when it was received; the rules changed since."""
    job_id = sweeps.ask(strategy_type="WMA")
    sweeps.run()
    job = sweeps.job(job_id)
    assert (job["status"], job["error_reason"]) == (JobStatus.FAILED, "invalid_request")
    assert "strategy_type" in job["error_message"]
    assert sweeps.stage.sandbox.calls() == {}


def test_a_dry_run_tells_what_it_would_start_and_starts_nothing(sweeps: SweepStage) -> None:
    job_id = sweeps.ask(trigger={"dry_run": True})
    sweeps.run()
    job = sweeps.job(job_id)
    assert (job["status"], job["result"]["dry_run"]) == (JobStatus.COMPLETED, True)
    (plan,) = job["result"]["would_write"]
    assert plan["changes"]["ticker"] == {"before": None, "after": '"BHP.AX"'}
    assert sweeps.started() == []


def test_several_sweeps_of_a_batch_wait_together_and_go_on_one_by_one(sweeps: SweepStage) -> None:
    ids = [sweeps.ask(ticker=f"T{number}") for number in range(5)]
    sweeps.run()
    assert len(sweeps.started()) == 5
    assert sweeps.stage.sandbox.calls()["sweeps GET /sweeps"] == 1
    second = list(sweeps.desk.sweeps.values())[1]
    sweeps.desk.sweeps = {key: one for key, one in sweeps.desk.sweeps.items() if one is not second}
    sweeps.finish()
    sweeps.look()
    run = sweeps.run()
    assert run.status is DagsterRunStatus.FAILURE
    assert sorted(sweeps.status(job_id) for job_id in ids) == [JobStatus.COMPLETED] * 4 + [JobStatus.FAILED]


def test_five_hundred_waiting_jobs_are_looked_at_in_one_bulk_pass(sweeps: SweepStage) -> None:
    wish = wish_from({**WANTED, "fast_range": [2, 2], "slow_range": [5, 5]})
    keys = [sweeps.desk.start(wish, key=None).id for _ in range(500)]
    for key in keys:
        sweeps.ledger.add_jobs(
            1,
            connection_id=sweeps.connection_id,
            record=key,
            system="callbacks",
            workflow_type=SWEEP_WORKFLOW,
            status="RUNNING",
            attempts=1,
            started_at=datetime.now(UTC) - timedelta(minutes=1),
            waiting_until=datetime.now(UTC),
            waiting_for=f"sweeps:{key}",
        )
    sweeps.finish()
    began = time.perf_counter()
    looked = sweeps.look()
    took = time.perf_counter() - began
    assert (looked.looked_at, len(looked.woken["callbacks"])) == (500, 500)
    assert sweeps.stage.sandbox.calls() == {"sweeps GET /sweeps": 5}
    assert took < longest(5)
