"""Runs in real workers, over a real broker and database."""

from __future__ import annotations

import signal
import time

import pytest
from dagster import DagsterRunStatus

from tests.integration.instance.conftest import Stack, until
from zixly_dagster.workflow import LANE_TAG, PRIORITY_TAG

LIVE = {LANE_TAG: "live", PRIORITY_TAG: "normal"}


def test_launched_runs_end_in_success(stack: Stack) -> None:
    stack.start_worker()
    runs = [stack.run_of("five_steps", tags=LIVE) for _ in range(5)]
    for run in runs:
        stack.launch(run)
    assert {stack.wait_for(run) for run in runs} == {DagsterRunStatus.SUCCESS}
