"""Runs that hold no lease and that nobody has any more come to an end: a few of them would block every bulk run for good.

Found by the fault suite with seed 2: a killed worker left two runs of the watchdog STARTED, a flushed broker one run STARTING, and 112
jobs of the bulk lane waited for ever behind them.
"""

from __future__ import annotations

from datetime import timedelta

import redis
from dagster import DagsterRunStatus

from tests.integration.instance.conftest import Stack
from zixly_dagster.instance.lost_runs import LOST, MISSING_SECONDS, LostRuns
from zixly_dagster.workflow import LANE_TAG

BULK = {LANE_TAG: "bulk"}
AT_ONCE = timedelta()


class Clock:
    """Moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def forget(stack: Stack) -> None:
    with redis.Redis.from_url(stack.valkey.url) as client:
        client.flushdb()


def ended_after_a_while(stack: Stack, lost: LostRuns, clock: Clock) -> list[str]:
    """Two looks, a lease apart."""
    assert lost.end(stack.instance, clock=clock, older_than=AT_ONCE) == []
    clock.now += MISSING_SECONDS
    return lost.end(stack.instance, clock=clock, older_than=AT_ONCE)


def test_a_run_of_a_killed_worker_and_one_that_the_broker_forgot_end_and_what_is_in_hand_goes_on(stack: Stack) -> None:
    worker = stack.start_worker("worker-1", slots=1)
    killed = stack.run_of("long_wait", tags=BULK)
    stack.launch(killed)
    stack.wait_for_step(killed)
    worker.kill()
    forgotten = stack.run_of("long_wait", tags=BULK)
    stack.launch(forgotten)
    forget(stack)
    stack.start_worker("worker-2", slots=1)
    running, waiting = (stack.run_of("long_wait", tags=BULK) for _ in range(2))
    stack.launch(running)
    stack.wait_for_step(running)
    stack.launch(waiting)
    assert set(ended_after_a_while(stack, LostRuns(), Clock())) == {killed.run_id, forgotten.run_id}
    assert (stack.status(killed), stack.status(forgotten)) == (DagsterRunStatus.FAILURE, DagsterRunStatus.FAILURE)
    assert any(LOST in message for message in stack.messages(killed))
    assert (stack.status(running), stack.status(waiting)) == (DagsterRunStatus.STARTED, DagsterRunStatus.STARTING)


def test_where_no_worker_answers_nothing_is_concluded(stack: Stack) -> None:
    run = stack.run_of("long_wait", tags=BULK)
    stack.launch(run)
    forget(stack)
    assert ended_after_a_while(stack, LostRuns(), Clock()) == []
    assert stack.status(run) is DagsterRunStatus.STARTING


def test_a_run_that_is_found_again_begins_anew() -> None:
    lost = LostRuns()
    assert lost.missing({"a"}, now=0.0) == []
    assert lost.missing(set(), now=MISSING_SECONDS) == []
    assert lost.missing({"a"}, now=MISSING_SECONDS + 1) == []
    assert lost.missing({"a"}, now=2 * MISSING_SECONDS + 1) == ["a"]
