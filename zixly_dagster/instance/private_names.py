"""Everything of ours that hangs on names that Dagster does not promise to keep, in one place.

`tests/unit/instance/test_private_names.py` fails with clear words when a new version moves one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import cast

from dagster import DagsterEvent, DagsterInstance, DagsterRun
from dagster._cli.workspace.cli_target import workspace_opts_to_load_target
from dagster._core.origin import JobPythonOrigin
from dagster._daemon import sensor as sensor_daemon
from dagster._daemon.controller import DagsterDaemonController, daemon_controller_from_instance
from dagster._grpc.impl import core_execute_run
from dagster._utils.hosted_user_process import recon_job_from_origin
from dagster._utils.interrupts import setup_interrupt_handlers
from dagster_shared.cli import WorkspaceOpts

__all__ = ["daemon_of", "executed", "set_sensor_loop_seconds", "setup_interrupt_handlers"]

SENSOR_LOOP_NAME = "MIN_INTERVAL_LOOP_TIME"


def set_sensor_loop_seconds(seconds: float) -> None:
    """How often the sensor daemon looks whether a sensor is due. Read on each loop; 5 s as it comes."""
    if not hasattr(sensor_daemon, SENSOR_LOOP_NAME):
        raise AttributeError(f"dagster._daemon.sensor has no {SENSOR_LOOP_NAME} any more; see docs/decisions/0004-live-runs.md")
    setattr(sensor_daemon, SENSOR_LOOP_NAME, seconds)


def daemon_of(instance: DagsterInstance, *, workspace_file: str, log_level: str) -> AbstractContextManager[DagsterDaemonController]:
    """The stock daemon's controller over a workspace file."""
    target = workspace_opts_to_load_target(WorkspaceOpts(workspace=(workspace_file,)))
    return daemon_controller_from_instance(instance, workspace_load_target=target, log_level=log_level)


def executed(run: DagsterRun, instance: DagsterInstance) -> Iterator[DagsterEvent]:
    """Execute a run in this process. The definitions come from the run's origin, whose repository stays loaded in the process."""
    recon_job = recon_job_from_origin(cast("JobPythonOrigin", run.job_code_origin))
    execute = cast("Callable[..., Iterator[DagsterEvent]]", core_execute_run)
    return execute(recon_job, run, instance, inject_env_vars=False)
