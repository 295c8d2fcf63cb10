"""Execute one run in this warm process, and leave nothing of it behind: events written, leases given back, signals as they were."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun

from zixly_core.errors import StoreUnavailable
from zixly_core.process import shared_database
from zixly_core.settings import Settings, read_settings
from zixly_core.stores.claims import RunIdentity, tenant_of_batch
from zixly_core.stores.release import release_run
from zixly_core.stores.settle import RetryPolicy
from zixly_dagster.instance.private_names import executed
from zixly_dagster.instance.storage import PooledEventLogStorage
from zixly_dagster.workflow import BATCH_TAG

log = structlog.get_logger()
_instances: dict[int, DagsterInstance] = {}


def run_in_worker(run_id: str) -> str:
    """Execute the run and give its last word: `success`, `failure`, `canceled`, or why it was not executed."""
    instance = worker_instance()
    run = instance.get_run_by_id(run_id)
    if run is None:
        log.warning("run_unknown", run_id=run_id)
        return "unknown"
    if run.is_finished:
        log.info("run_came_too_late", run_id=run_id, status=run.status.value)
        return "finished before"
    outcome = "broken"
    with signals_restored():
        try:
            outcome = last_word(executed(run, instance))
        finally:
            flush_events(instance)
            release(run, interrupted=outcome == "canceled", settings=read_settings())
    log.info("run_ended", run_id=run_id, outcome=outcome)
    return outcome


def worker_instance() -> DagsterInstance:
    """The Dagster instance of this process, opened at its first run and kept. Its event log keeps step events back."""
    if os.getpid() not in _instances:
        instance = DagsterInstance.get()
        storage = instance.event_log_storage
        if isinstance(storage, PooledEventLogStorage):
            storage.keep_back()
        _instances[os.getpid()] = instance
    return _instances[os.getpid()]


def last_word(events: Iterator[DagsterEvent]) -> str:
    """Run to the end. What breaks a run is in its event log already, so it does not break the worker."""
    outcome = "broken"
    ends = {
        DagsterEventType.PIPELINE_SUCCESS: "success",
        DagsterEventType.PIPELINE_FAILURE: "failure",
        DagsterEventType.PIPELINE_CANCELED: "canceled",
    }
    try:
        for event in events:
            outcome = ends.get(event.event_type, outcome)
    except Exception as error:
        log.warning("run_broke", error_type=type(error).__name__)
    return outcome


def flush_events(instance: DagsterInstance) -> None:
    storage = instance.event_log_storage
    if isinstance(storage, PooledEventLogStorage):
        storage.flush()


def release(run: DagsterRun, *, interrupted: bool, settings: Settings) -> None:
    """Give back what the run still holds. While Postgres is away the lease lapses instead, and the sweep does it."""
    batch = run.tags.get(BATCH_TAG)
    if batch is None:
        return
    policy = RetryPolicy(settings.max_attempts, timedelta(seconds=settings.backoff_base_seconds))
    database = shared_database(settings.required("database_url_runs"), name="runs")
    try:
        tenant_id = tenant_of_batch(database, UUID(batch))
        if tenant_id is None:
            return
        identity = RunIdentity(run_id=run.run_id, batch_id=UUID(batch), tenant_id=tenant_id)
        settled = release_run(database, identity, interrupted=interrupted, policy=policy, jitter=random.SystemRandom())
    except StoreUnavailable as error:
        log.warning("jobs_not_released", run_id=run.run_id, reason=error.reason)
        return
    if settled is not None:
        log.info("jobs_released", run_id=run.run_id, jobs=len(settled.statuses), interrupted=interrupted)


@contextmanager
def signals_restored() -> Iterator[None]:
    """Dagster leaves SIGTERM as it found SIGINT, which Celery's children ignore: without this a worker cannot be stopped after
    its first run."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
