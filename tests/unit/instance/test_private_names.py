"""What we rely on in Dagster and dagster-celery without their promise. When one of these fails after an upgrade, the thing named has
moved: find it in the new version, mend `zixly_dagster/instance/private_names.py` (or the module named), and adapt this list."""

from __future__ import annotations

import importlib
import inspect
from types import SimpleNamespace

import pytest
from dagster._daemon import sensor as sensor_daemon

from zixly_dagster.instance.private_names import let_sensors_follow_at_once

# Where it is, and what breaks without it.
RELIED_ON = {
    "dagster._daemon.sensor:MIN_INTERVAL_LOOP_TIME": "daemon.py lowers the sensor loop to 0.2 s",
    "dagster._daemon.sensor:is_under_min_interval": "daemon.py lets dispatch sensors follow one another without a pause",
    "dagster._daemon.controller:RELOAD_WORKSPACE_INTERVAL": "daemon.py spares reading all definitions anew each minute",
    "dagster._daemon.controller:daemon_controller_from_instance": "daemon.py runs the stock daemons",
    "dagster._daemon.controller:DagsterDaemonController.check_daemon_loop": "daemon.py waits in it",
    "dagster._core.execution.context_creation_job:default_system_loggers": "worker.py silences the console",
    "dagster._cli.api:configure_loggers": "code_server.py leaves its lines to our loggers",
    "dagster._grpc.impl:core_execute_run": "run_in_worker.py executes runs",
    "dagster._utils.hosted_user_process:recon_job_from_origin": "run_in_worker.py finds a run's job",
    "dagster._core.events:PIPELINE_EVENTS": "event_log.py writes changes of a run's status at once",
    "dagster._core.storage.event_log:SqlEventLogStorageTable": "event_log.py inserts into it",
    "dagster._core.storage.event_log:SqlEventLogStorage._event_to_row": "event_log.py makes rows with it",
    "dagster_postgres.event_log:PostgresEventLogStorage.run_connection": "event_log.py flushes before reads",
    "dagster_postgres.event_log:PostgresEventLogStorage.index_connection": "event_log.py flushes before reads",
    "dagster_postgres.event_log:PostgresEventLogStorage._connect": "event_log.py writes over it",
    "dagster_postgres.run_storage:PostgresRunStorage.has_run_stats_index_cols": "run_storage.py spares six look-ups a run",
    "dagster_postgres.run_storage:PostgresRunStorage.has_bulk_actions_selector_cols": "run_storage.py spares it",
    "dagster_postgres.run_storage:PostgresRunStorage.has_backfill_id_column": "run_storage.py spares it",
    "dagster_postgres.run_storage:PostgresRunStorage.has_bulk_action_job_name_column": "run_storage.py spares it",
    "dagster_postgres.run_storage:PostgresRunStorage.has_backfill_tags_table": "run_storage.py spares it",
    "dagster_postgres.run_storage:PostgresRunStorage.get_execution_plan_snapshot": "run_storage.py keeps snapshots",
    "dagster_postgres.run_storage:PostgresRunStorage.has_job_snapshot": "run_storage.py keeps snapshots",
    "dagster_postgres.schedule_storage:PostgresScheduleStorage._has_instigators_table": "schedule_storage.py spares it",
    "dagster_postgres.schedule_storage:PostgresScheduleStorage._has_asset_daemon_asset_evaluations_table": "the same",
    "dagster_postgres.schedule_storage:PostgresScheduleStorage.has_secondary_index_table": "schedule_storage.py spares it",
    "dagster_postgres.schedule_storage:PostgresScheduleStorage.purge_ticks": "schedule_storage.py purges now and then",
    "dagster_postgres.schedule_storage:PostgresScheduleStorage._deserialize_rows": "schedule_storage.py reads each text once",
    "dagster_celery.launcher:CeleryRunLauncher.launch_run": "launcher.py overrides it",
    "dagster_celery.launcher:CeleryRunLauncher.terminate": "launcher.py overrides it",
    "dagster_celery.launcher:CeleryRunLauncher.check_run_worker_health": "launcher.py overrides it",
    "dagster._core.run_coordinator:QueuedRunCoordinator.submit_run": "coordinator.py overrides it",
    "dagster._core.run_coordinator:SubmitRunContext.get_request_header": "coordinator.py reads the signed-in user",
    "dagster._core.workspace.context:BaseWorkspaceRequestContext.get_viewer_tags": "ui_context.py tags backfills with the signed-in user",
    "dagster._core.workspace.context:WorkspaceProcessContext.create_request_context": "ui_context.py overrides it",
    "dagster._core.scheduler.instigation:SensorInstigatorData": "daemon_metrics.py reads a sensor's interval",
    "dagster_webserver.webserver:DagsterWebserver.create_asgi_app": "webserver.py serves it",
}
PARAMETERS = {
    "dagster_webserver.webserver:DagsterWebserver.__init__": ["self", "process_context", "app_path_prefix"],
    "dagster._core.workspace.context:WorkspaceRequestContext.__init__": [
        "self",
        "instance",
        "current_workspace",
        "process_context",
        "version",
        "source",
        "read_only",
    ],
    "dagster._daemon.sensor:is_under_min_interval": ["state", "remote_sensor"],
    "dagster._grpc.impl:core_execute_run": ["recon_job", "dagster_run", "instance", "inject_env_vars"],
    "dagster._core.storage.event_log:SqlEventLogStorage._event_to_row": ["self", "event"],
    "dagster_postgres.schedule_storage:PostgresScheduleStorage.purge_ticks": [
        "self",
        "origin_id",
        "selector_id",
        "before",
        "tick_statuses",
    ],
    "dagster._daemon.controller:daemon_controller_from_instance": ["instance", "workspace_load_target"],
    "dagster_postgres.run_storage:PostgresRunStorage.__init__": [
        "self",
        "postgres_url",
        "should_autocreate_tables",
        "inst_data",
    ],
}


def found(place: str) -> object:
    module, _, name = place.partition(":")
    target: object = importlib.import_module(module)
    for part in name.split("."):
        target = getattr(target, part)
    return target


@pytest.mark.parametrize("place", RELIED_ON)
def test_what_we_rely_on_is_where_it_was(place: str) -> None:
    try:
        found(place)
    except (ImportError, AttributeError):
        pytest.fail(f"{place} has moved in this version of Dagster; {RELIED_ON[place]}")


@pytest.mark.parametrize("place", PARAMETERS)
def test_it_takes_what_we_give_it(place: str) -> None:
    parameters = list(inspect.signature(found(place)).parameters)  # type: ignore[arg-type]
    assert parameters[: len(PARAMETERS[place])] == PARAMETERS[place], f"{place} takes other arguments in this version of Dagster"


def test_the_sensor_loop_still_reads_its_interval_on_each_turn() -> None:
    """A constant that was copied at import would make `set_sensor_loop_seconds` do nothing, silently."""
    loop = inspect.getsource(found("dagster._daemon.sensor:execute_sensor_iteration_loop"))  # type: ignore[arg-type]
    assert "MIN_INTERVAL_LOOP_TIME" in loop


def test_a_daemon_still_reads_how_often_to_refresh_and_watches_its_code_servers() -> None:
    """Without the watch a daemon would work with the definitions of before a deployment, for an hour."""
    freshness = inspect.getsource(found("dagster._daemon.controller:DagsterDaemonController.check_workspace_freshness"))  # type: ignore[arg-type]
    assert "> RELOAD_WORKSPACE_INTERVAL" in freshness
    assert "self._start_watch_thread(" in inspect.getsource(
        found("dagster._core.workspace.context:WorkspaceProcessContext._update_workspace")
    )  # type: ignore[arg-type]


def test_runs_still_ask_for_their_console_loggers_by_that_name() -> None:
    source = inspect.getsource(found("dagster._core.execution.context_creation_job:create_log_manager"))  # type: ignore[arg-type]
    assert "default_system_loggers(" in source


def test_a_backfill_still_takes_its_launchers_tags_over_those_that_were_sent() -> None:
    """Else a backfill could be launched in somebody else's name."""
    source = inspect.getsource(found("dagster_graphql.implementation.execution.backfill:create_and_launch_partition_backfill"))  # type: ignore[arg-type]
    assert "{**tags, **graphene_info.context.get_viewer_tags()}" in source


def test_only_sensors_that_wait_for_work_themselves_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def stock(state: object, remote_sensor: SimpleNamespace) -> bool:
        asked.append(remote_sensor.name)
        return True

    monkeypatch.setattr(sensor_daemon, "is_under_min_interval", stock)
    let_sensors_follow_at_once("dispatch_")
    assert not sensor_daemon.is_under_min_interval(None, SimpleNamespace(name="dispatch_xero"))
    assert sensor_daemon.is_under_min_interval(None, SimpleNamespace(name="sweep"))
    assert asked == ["sweep"]
