"""The whole way: a sensor's run request, our daemon, the launcher, a warm worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from dagster import DagsterRunStatus, RunsFilter
from dagster._core.run_coordinator import SubmitRunContext

from tests.integration.instance.conftest import ROOT, SAMPLE, Stack, until
from tests.support.busy import longest
from zixly_cli.stack.probes import code_server_answers
from zixly_dagster.workflow import LANE_TAG


def start_all(stack: Stack) -> None:
    port = stack.environment["ZIXLY_CODE_PORT"]
    stack.start("dagster", "api", "grpc", "-m", SAMPLE, "-h", "127.0.0.1", "-p", port, "-n", "32")
    stack.start_worker()
    until(lambda: code_server_answers(int(port))(0), seconds=30, what="the code server answers")


def test_a_sensors_run_goes_past_the_queue_and_what_people_launch_waits_in_it(stack: Stack) -> None:
    start_all(stack)
    began = time.time()
    daemon = stack.start("zixly_dagster.instance.daemon")
    until(lambda: bool(stack.instance.get_runs()), seconds=20, what="the sensor's run exists")
    live = stack.instance.get_runs()[0]
    assert stack.wait_for(live) is DagsterRunStatus.SUCCESS
    assert "PIPELINE_ENQUEUED" not in stack.event_types(live)

    by_hand = stack.run_of("five_steps", tags={LANE_TAG: "live"})
    stack.instance.run_coordinator.submit_run(context_of(stack, by_hand.run_id))
    assert stack.wait_for(by_hand, seconds=10) is DagsterRunStatus.SUCCESS
    assert "PIPELINE_ENQUEUED" in stack.event_types(by_hand)
    again = stack.instance.get_run_by_id(by_hand.run_id)
    assert again is not None
    assert again.tags[LANE_TAG] == "bulk"

    parts = {"SENSOR", "SCHEDULER", "BACKFILL", "QUEUED_RUN_COORDINATOR"}
    until(lambda: stack.instance.get_daemon_heartbeats().keys() >= parts, seconds=20, what="each part of the daemon has told that it lives")
    beats = stack.instance.get_daemon_heartbeats()
    assert set(beats) == parts
    assert all(beat.timestamp >= began - 1 for beat in beats.values())
    assert liveness_check(stack) == 0

    assert daemon.stop(seconds=longest(10)) < longest(3)
    assert daemon.process.returncode == 0
    assert len(stack.instance.get_runs(RunsFilter())) == 2, "a run key asks for one run, however often the sensor ticks"


def context_of(stack: Stack, run_id: str) -> SubmitRunContext:
    """What the webserver hands to the coordinator, without a request behind it."""
    run = stack.instance.get_run_by_id(run_id)
    assert run is not None
    return SubmitRunContext(run, workspace=None)  # type: ignore[arg-type]


def liveness_check(stack: Stack) -> int:
    """`dagster-daemon liveness-check`, as a container's probe calls it."""
    command = [sys.executable, "-m", "dagster._daemon", "liveness-check"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **stack.environment}, check=False, timeout=60).returncode
