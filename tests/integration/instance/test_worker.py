"""Runs in real workers, over a real broker and a real database."""

from __future__ import annotations

import time

import psutil
from dagster import DagsterRunStatus
from sqlalchemy.engine import make_url

from tests.integration.instance.conftest import Stack, until
from tests.support.busy import longest
from zixly_dagster.workflow import LANE_TAG, PRIORITY_TAG

LIVE = {LANE_TAG: "live", PRIORITY_TAG: "normal"}


def test_launched_runs_end_in_success_and_tell_their_story_in_order(stack: Stack) -> None:
    stack.start_worker()
    runs = [stack.run_of("five_steps", tags=LIVE) for _ in range(6)]
    for run in runs:
        stack.launch(run)
    assert {stack.wait_for(run) for run in runs} == {DagsterRunStatus.SUCCESS}
    for run in runs:
        types = stack.event_types(run)
        assert types[0] == "PIPELINE_STARTING"
        assert types.index("PIPELINE_START") < types.index("STEP_START") < types.index("STEP_SUCCESS")
        assert types[-1] == "PIPELINE_SUCCESS"
        assert types.count("STEP_SUCCESS") == 5
        assert stack.messages(run).count("here") == 5


def test_only_the_children_talk_to_postgres(stack: Stack) -> None:
    """A connection that a child inherited would be used by two processes at once."""
    worker = stack.start_worker()
    run = stack.run_of("long_wait", tags=LIVE)
    stack.launch(run)
    stack.wait_for_step(run)
    postgres = make_url(stack.environment["ZIXLY_DAGSTER_DATABASE_URL"]).port
    parent = psutil.Process(worker.process.pid)
    assert postgres not in {one.raddr.port for one in parent.net_connections() if one.raddr}
    assert postgres in {one.raddr.port for one in stack.process_of(run).net_connections() if one.raddr}


def test_a_long_step_shows_what_it_did_before_it_ends(stack: Stack) -> None:
    stack.start_worker()
    run = stack.run_of("long_wait", tags=LIVE)
    stack.launch(run)
    stack.wait_for(run, DagsterRunStatus.STARTED)
    began = time.monotonic()
    stack.wait_for_step(run)
    assert time.monotonic() - began < longest(3)
    assert stack.status(run) is DagsterRunStatus.STARTED


def test_a_cancelled_run_ends_as_cancelled_and_its_process_takes_the_next(stack: Stack) -> None:
    worker = stack.start_worker()
    children = {child.pid for child in worker.children}
    for _ in range(3):
        run = stack.run_of("long_wait", tags=LIVE)
        stack.launch(run)
        stack.wait_for_step(run)
        assert stack.instance.run_launcher.terminate(run.run_id)
        assert stack.wait_for(run, seconds=10) is DagsterRunStatus.CANCELED
    assert {child.pid for child in worker.children} == children
    after = stack.run_of("five_steps", tags=LIVE)
    stack.launch(after)
    assert stack.wait_for(after) is DagsterRunStatus.SUCCESS


def test_a_run_that_was_cancelled_before_a_worker_came_is_not_executed(stack: Stack) -> None:
    run = stack.run_of("five_steps", tags=LIVE)
    stack.launch(run)
    assert stack.instance.run_launcher.terminate(run.run_id)
    assert stack.status(run) is DagsterRunStatus.CANCELED
    assert not stack.instance.run_launcher.terminate(run.run_id)
    worker = stack.start_worker()
    until(lambda: "run_not_executed" in worker.said, seconds=10, what="the worker has seen the run")
    assert stack.status(run) is DagsterRunStatus.CANCELED
    assert "STEP_START" not in stack.event_types(run)


def test_a_killed_child_is_replaced_and_its_worker_goes_on(stack: Stack) -> None:
    worker = stack.start_worker()
    run = stack.run_of("long_wait", tags=LIVE)
    stack.launch(run)
    stack.wait_for_step(run)
    stack.process_of(run).kill()
    until(lambda: len(worker.children) == 2, seconds=10, what="the child is replaced")
    others = [stack.run_of("five_steps", tags=LIVE) for _ in range(4)]
    for other in others:
        stack.launch(other)
    assert {stack.wait_for(other) for other in others} == {DagsterRunStatus.SUCCESS}
    assert stack.status(run) is DagsterRunStatus.STARTED, "its end is told by the sweep, when the lease of its jobs lapses"
    assert worker.process.poll() is None


def test_a_stopped_worker_lets_a_short_run_end(stack: Stack) -> None:
    worker = stack.start_worker()
    runs = [stack.run_of("five_steps", tags=LIVE) for _ in range(2)]
    for run in runs:
        stack.launch(run)
        stack.wait_for(run, DagsterRunStatus.STARTED, DagsterRunStatus.SUCCESS)
    assert worker.stop(seconds=longest(10)) < longest(6)
    assert {stack.status(run) for run in runs} == {DagsterRunStatus.SUCCESS}
    assert worker.process.returncode == 0


def test_an_idle_worker_stops_at_once(stack: Stack) -> None:
    worker = stack.start_worker()
    assert worker.stop(seconds=longest(10)) < longest(4)
    assert worker.process.returncode == 0


def test_a_stopped_worker_interrupts_a_long_run_and_is_gone_within_six_seconds(stack: Stack) -> None:
    worker = stack.start_worker()
    run = stack.run_of("long_wait", tags=LIVE)
    stack.launch(run)
    stack.wait_for_step(run)
    assert worker.stop(seconds=longest(10)) < longest(6)
    assert stack.status(run) is DagsterRunStatus.FAILURE
    assert "interrupted" in worker.said


def test_runs_wait_while_no_worker_is_there(stack: Stack) -> None:
    run = stack.run_of("five_steps", tags=LIVE)
    stack.launch(run)
    stack.start_worker()
    assert stack.wait_for(run) is DagsterRunStatus.SUCCESS


def test_a_worker_serves_a_broker_that_was_killed_and_came_back_empty(stack: Stack) -> None:
    worker = stack.start_worker()
    stack.valkey.kill()
    time.sleep(1)
    stack.valkey.start()
    run = stack.run_of("five_steps", tags=LIVE)
    stack.launch(run)
    assert stack.wait_for(run, seconds=40) is DagsterRunStatus.SUCCESS
    assert worker.process.poll() is None


def test_a_worker_that_starts_before_its_broker_waits_for_it(stack: Stack) -> None:
    stack.valkey.kill()
    worker = stack.start("zixly_dagster.instance.worker", "--name", "early")
    time.sleep(4)
    assert worker.process.poll() is None
    stack.valkey.start()
    run = stack.run_of("five_steps", tags=LIVE)
    stack.launch(run)
    assert stack.wait_for(run, seconds=40) is DagsterRunStatus.SUCCESS


def test_live_runs_are_served_before_bulk_runs_and_in_order_of_priority(stack: Stack) -> None:
    bulk = [stack.run_of("five_steps", tags={LANE_TAG: "bulk", PRIORITY_TAG: "high"}) for _ in range(4)]
    live = [stack.run_of("five_steps", tags={LANE_TAG: "live", PRIORITY_TAG: one}) for one in ("low", "normal", "high")]
    for run in [*bulk, *live]:
        stack.launch(run)
    stack.start_worker(slots=1)
    for run in [*bulk, *live]:
        stack.wait_for(run, seconds=30)
    started = {run.run_id: stack.instance.get_run_stats(run.run_id).start_time or 0 for run in [*bulk, *live]}
    served = sorted(started, key=started.__getitem__)
    assert served[:3] == [run.run_id for run in reversed(live)]
