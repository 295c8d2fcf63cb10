"""`python -m zixly_dagster.instance.worker --name worker-1`: a warm run worker.

A Celery worker whose parent has loaded the definitions, so that each child can execute a run at once. Connections are opened in
the children. SIGTERM lets runs in progress end; those that take too long are interrupted and give their jobs back.
"""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import sys
import threading
import warnings
from importlib import import_module
from typing import Any

import psutil
import structlog
from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown, worker_ready, worker_shutting_down
from prometheus_client import CollectorRegistry

from zixly_core.errors import ZixlyError
from zixly_core.metrics_server import MetricsServer, metrics_server
from zixly_core.observing import observe
from zixly_core.settings import Settings, read_settings
from zixly_core.tracing import stop_recording
from zixly_dagster.instance.private_names import silence_console
from zixly_dagster.instance.run_in_worker import run_in_worker
from zixly_dagster.instance.slots import Slots, SlotsCollector, slot_of_this_child
from zixly_dagster.instance.workers_app import BULK_QUEUE, EXECUTE_RUN, LIVE_QUEUE, workers_app

# Whoever stops us waits 6 s before the kill (zixly_cli/stack/programs.py); an interrupted run needs one
# to give its jobs back, and Celery up to two to end.
PATIENCE_SECONDS = 3.0
# What the first run of a child would load, each child for itself: the storage of dagster.yaml, and what that and its folder use.
NEEDED_BY_RUNS = ("zixly_dagster.instance.storage", "psycopg2.extras", "upath")

log = structlog.get_logger()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="zixly_dagster.instance.worker", description="A warm run worker.")
    parser.add_argument("--name", default="worker-1", help="name of this worker, unique on its broker")
    parser.add_argument("--queues", default=f"{LIVE_QUEUE},{BULK_QUEUE}", help="lanes to serve")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings()
        observe(settings, process=options.name)
        slots = Slots(settings.worker_slots)
        app = app_with_task(settings, slots)
        server = server_of(settings, slots)
    except ZixlyError as error:
        sys.stderr.write(f"worker: {error}\n")
        return 2
    keep_celery_quiet()
    load_definitions()
    worker_shutting_down.connect(interrupt_later, weak=False)
    worker_process_shutdown.connect(lambda **_: stop_recording(), weak=False)
    worker_ready.connect(lambda **_: log.info("worker_ready", name=options.name, slots=settings.worker_slots), weak=False)
    worker_process_init.connect(lambda **_: slots.clear(slot_of_this_child()), weak=False)
    if server is not None:
        worker_ready.connect(lambda **_: server.serve(), weak=False)
    worker = app.Worker(
        hostname=f"{options.name}@zixly",
        pool="prefork",
        concurrency=settings.worker_slots,
        queues=options.queues.split(","),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
        loglevel="WARNING",
        redirect_stdouts=False,
    )
    worker.start()
    return int(worker.exitcode or 0)


def keep_celery_quiet() -> None:
    """Our logs stay as `configure_logs` made them: with a receiver on this signal Celery leaves levels and handlers alone. Running as
    root is worth its warning where tasks are pickled; ours are JSON."""
    setup_logging.connect(lambda **_: None, weak=False)
    logging.getLogger("celery").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", category=SecurityWarning)


def server_of(settings: Settings, slots: Slots) -> MetricsServer | None:
    """Where this worker's slots are told; None where no port is set. Raises `SettingsError`."""
    registry = CollectorRegistry()
    registry.register(SlotsCollector(slots))
    return metrics_server(registry, settings, port="worker_metrics_port")


def app_with_task(settings: Settings, slots: Slots) -> Celery:
    """The app with its one task. Raises `SettingsError` for what a worker cannot do without."""
    app = workers_app(settings.required("broker_url"))
    settings.required("database_url_runs")
    settings.required("dagster_database_url")
    app.task(name=EXECUTE_RUN, ignore_result=True)(slots.counted(run_in_worker))
    return app


def load_definitions() -> None:
    """Import what runs need before the children are forked, so that they share its memory and start in milliseconds. Opens no
    connection: a child's are its own."""
    from zixly_dagster.definitions import defs  # noqa: PLC0415 - only the worker loads it, and only here

    defs.get_repository_def().get_all_jobs()
    for name in NEEDED_BY_RUNS:
        import_module(name)
    silence_console()
    gc.collect()
    gc.freeze()


def interrupt_later(**_: Any) -> None:
    """Runs that have not ended in time are interrupted: they end as cancelled and give their jobs back."""
    log.info("worker_stopping", patience_seconds=PATIENCE_SECONDS)
    timer = threading.Timer(PATIENCE_SECONDS, interrupt_children)
    timer.daemon = True
    timer.start()


def interrupt_children() -> None:
    """Children without a run ignore SIGINT."""
    for child in psutil.Process().children():
        child.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
