"""Everything of ours that hangs on names that Dagster and dagster-celery do not promise to keep, in one place.

`tests/unit/instance/test_private_names.py` fails with clear words when a new version moves or changes one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, cast

from dagster import DagsterEvent, DagsterInstance, DagsterRun
from dagster._cli import api as api_commands
from dagster._cli.workspace.cli_target import workspace_opts_to_load_target
from dagster._config import UserConfigSchema
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, PIPELINE_EVENTS, JobFailureData, RunFailureReason
from dagster._core.execution import context_creation_job
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.origin import JobPythonOrigin
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, SensorInstigatorData
from dagster._core.snap import ExecutionPlanSnapshot
from dagster._core.storage.config import pg_config
from dagster._core.storage.event_log import SqlEventLogStorageTable
from dagster._core.storage.tags import SENSOR_NAME_TAG
from dagster._daemon import controller as daemon_controller
from dagster._daemon import sensor as sensor_daemon
from dagster._daemon.controller import DagsterDaemonController, daemon_controller_from_instance
from dagster._grpc.impl import core_execute_run
from dagster._serdes import ConfigurableClassData, deserialize_value
from dagster._utils.hosted_user_process import recon_job_from_origin
from dagster._utils.interrupts import setup_interrupt_handlers
from dagster_shared.cli import WorkspaceOpts

__all__ = [
    "ASSET_CHECK_EVENTS",
    "ASSET_EVENTS",
    "PIPELINE_EVENTS",
    "SENSOR_NAME_TAG",
    "CheckRunHealthResult",
    "ConfigurableClassData",
    "DagsterDaemonController",
    "ExecutionPlanSnapshot",
    "InstigatorState",
    "InstigatorStatus",
    "InstigatorType",
    "LaunchRunContext",
    "QueuedRunCoordinator",
    "SensorInstigatorData",
    "SqlEventLogStorageTable",
    "SubmitRunContext",
    "UserConfigSchema",
    "WorkerStatus",
    "daemon_of",
    "deserialize_value",
    "executed",
    "leave_loggers_to_us",
    "let_sensors_follow_at_once",
    "pg_config",
    "refresh_workspace_every",
    "set_sensor_loop_seconds",
    "setup_interrupt_handlers",
    "silence_console",
    "was_interrupted",
]

SENSOR_LOOP_NAME = "MIN_INTERVAL_LOOP_TIME"
REFRESH_NAME = "RELOAD_WORKSPACE_INTERVAL"
UNDER_INTERVAL_NAME = "is_under_min_interval"
SYSTEM_LOGGERS_NAME = "default_system_loggers"
LOGGERS_NAME = "configure_loggers"


def set_sensor_loop_seconds(seconds: float) -> None:
    """How often the sensor daemon looks whether a sensor is due. Read on each loop; 5 s as it comes."""
    replace(sensor_daemon, SENSOR_LOOP_NAME, seconds)


def refresh_workspace_every(seconds: float) -> None:
    """How often the daemon fetches and reads all definitions anew, changed or not; each minute as it comes, which took a fifth of its CPU.

    A code server that was started anew is noticed within seconds: the workspace of a daemon watches its servers, as a webserver's does.
    """
    replace(daemon_controller, REFRESH_NAME, seconds)


def let_sensors_follow_at_once(prefix: str) -> None:
    """Evaluate sensors of these names again on the next turn of the loop, whenever they came back: they wait for work themselves.

    Dagster counts intervals in whole seconds, takes 0 for "not set", and so would keep each delivery that comes right after a
    hand-over waiting for the rest of a second.
    """
    stock = getattr(sensor_daemon, UNDER_INTERVAL_NAME, None)

    def is_under_min_interval(state: object, sensor: Any, *limits: object, **named: object) -> bool:
        return not sensor.name.startswith(prefix) and bool(cast("Callable[..., bool]", stock)(state, sensor, *limits, **named))

    replace(sensor_daemon, UNDER_INTERVAL_NAME, is_under_min_interval)


def silence_console() -> None:
    """No copy of a run's events on standard error: they are in the event log, and formatting them took a fifth of a run's CPU."""
    replace(context_creation_job, SYSTEM_LOGGERS_NAME, lambda _instance: [])


def leave_loggers_to_us() -> None:
    """The code server's own lines once, in the form of all others: as it comes, it writes a coloured copy of each."""
    replace(api_commands, LOGGERS_NAME, lambda **_: None)


def daemon_of(
    instance: DagsterInstance, *, workspace_file: str, log_level: str, log_format: str
) -> AbstractContextManager[DagsterDaemonController]:
    """The stock daemon's controller over a workspace file."""
    target = workspace_opts_to_load_target(WorkspaceOpts(workspace=(workspace_file,)))
    return daemon_controller_from_instance(instance, workspace_load_target=target, log_level=log_level, log_format=log_format)


def executed(run: DagsterRun, instance: DagsterInstance) -> Iterator[DagsterEvent]:
    """Execute a run in this process. The definitions come from the run's origin, whose repository stays loaded in the process."""
    recon_job = recon_job_from_origin(cast("JobPythonOrigin", run.job_code_origin))
    execute = cast("Callable[..., Iterator[DagsterEvent]]", core_execute_run)
    return execute(recon_job, run, instance, inject_env_vars=False)


def was_interrupted(event: DagsterEvent) -> bool:
    """Whether a run's failure says that its process was told to stop, and not that its work failed."""
    data = event.event_specific_data
    return isinstance(data, JobFailureData) and data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION


def replace(module: object, name: str, value: object) -> None:
    """Raises `AttributeError` when the name is not there any more: a new one would be read by nobody."""
    if not hasattr(module, name):
        raise AttributeError(f"{module} has no {name} any more; find where this version of Dagster keeps it")
    setattr(module, name, value)
