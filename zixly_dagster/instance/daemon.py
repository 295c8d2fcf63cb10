"""`python -m zixly_dagster.instance.daemon`: Dagster's daemon, with a sensor loop that looks five times a second.

Live runs must not wait for the stock loop of 5 s. More sensors on the slow loop would cost more and bring less.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import structlog
from dagster import DagsterInstance

from zixly_core.errors import ZixlyError
from zixly_core.logs import configure_logs
from zixly_core.settings import Settings, read_settings
from zixly_dagster.instance.daemon_metrics import daemon_metrics_server
from zixly_dagster.instance.private_names import (
    DagsterDaemonController,
    daemon_of,
    let_sensors_follow_at_once,
    refresh_workspace_every,
    set_sensor_loop_seconds,
    setup_interrupt_handlers,
)
from zixly_dagster.workflow import DISPATCH_PREFIX

SENSOR_LOOP_SECONDS = 0.2
WORKSPACE_REFRESH_SECONDS = 3600.0

log = structlog.get_logger()


def main() -> int:
    try:
        settings = read_settings()
        configure_logs(log_format=settings.log_format, level=settings.log_level, process="daemon")
        settings.required("dagster_database_url")
    except ZixlyError as error:
        sys.stderr.write(f"daemon: {error}\n")
        return 2
    return run_until_stopped(settings)


def run_until_stopped(settings: Settings) -> NoReturn:
    """The stock daemon. Its threads are not joined at the end: they wait in a poll for up to 5 s, and what they were at is in
    Postgres and goes on when a daemon starts again."""
    set_sensor_loop_seconds(SENSOR_LOOP_SECONDS)
    let_sensors_follow_at_once(DISPATCH_PREFIX)
    refresh_workspace_every(WORKSPACE_REFRESH_SECONDS)
    workspace = os.environ.get("ZIXLY_WORKSPACE", "workspace.yaml")
    with (
        DagsterInstance.get() as instance,
        daemon_of(instance, workspace_file=workspace, log_level="warning", log_format=dagster_format(settings.log_format)) as controller,
    ):
        setup_interrupt_handlers()
        tell_metrics(instance, settings)
        log.info("daemon_ready", sensor_loop_seconds=SENSOR_LOOP_SECONDS)
        code = watch(controller)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def tell_metrics(instance: DagsterInstance, settings: Settings) -> None:
    """A daemon whose port is taken goes on without: work is worth more than figures, and Prometheus says that it is not told any."""
    try:
        server = daemon_metrics_server(instance, settings)
    except ZixlyError as error:
        log.warning("metrics_not_told", error=str(error))
        return
    if server is not None:
        server.serve()


def watch(controller: DagsterDaemonController) -> int:
    """Until SIGTERM or SIGINT (0), or until one of the daemon's threads has died (1)."""
    try:
        controller.check_daemon_loop()
    except KeyboardInterrupt:
        log.info("daemon_stopped")
        return 0
    except Exception as error:
        log.exception("daemon_broke", exc_info=error)
    return 1


def dagster_format(log_format: str) -> str:
    """Our word for a terminal's log, in Dagster's."""
    return "json" if log_format == "json" else "colored"


if __name__ == "__main__":
    sys.exit(main())
