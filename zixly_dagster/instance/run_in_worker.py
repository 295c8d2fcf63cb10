"""Execute one run in this warm process, and leave nothing of it behind: events written, leases given back, signals as they were."""

from __future__ import annotations

import os
import random
import time
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import structlog
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterExecutionInterruptedError,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
)
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import SQLAlchemyError

from zixly_core.errors import StoreUnavailable
from zixly_core.process import shared_database
from zixly_core.settings import Settings, settings_now
from zixly_core.stores.claims import RunIdentity, tenant_of_batch
from zixly_core.stores.database import Database
from zixly_core.stores.release import release_run
from zixly_core.stores.settle import RetryPolicy
from zixly_dagster.heartbeat import let_go
from zixly_dagster.instance.event_log import PooledEventLogStorage
from zixly_dagster.instance.interrupts import interrupts_raised
from zixly_dagster.instance.private_names import executed, was_interrupted
from zixly_dagster.instance.run_trace import RunTrace, traced
from zixly_dagster.workflow import BATCH_TAG, TENANT_ID_TAG

# How long a run's end is kept in hand while Dagster's database is away.
CONCLUDE_WITHIN = timedelta(seconds=60)

log = structlog.get_logger()
_instances: dict[int, DagsterInstance] = {}


class RunEnd(StrEnum):
    """How the execution of a run ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELED = "canceled"
    INTERRUPTED = "interrupted"
    """The worker was stopped in mid-run."""
    BROKEN = "broken"
    """Not the work broke, but what executes it."""
    NOT_EXECUTED = "not executed"
    """It came too late: cancelled, ended or in another worker's hands."""


def run_in_worker(run_id: str) -> RunEnd:
    """The one Celery task. Whatever happens to the run, the process is as before."""
    instance = worker_instance()
    run = instance.get_run_by_id(run_id)
    if run is None or not is_to_be_executed(run):
        log.info("run_not_executed", run_id=run_id, status=run.status.value if run else "unknown")
        return RunEnd.NOT_EXECUTED
    with traced(run) as trace:
        with interrupts_raised():
            end = end_of(run, instance, trace)
        conclude(run_id, instance)
        release(run, interrupted=end in {RunEnd.CANCELED, RunEnd.INTERRUPTED}, settings=settings_now())
        trace.end(end.value, is_error=end in {RunEnd.FAILURE, RunEnd.BROKEN})
        log.info("run_ended", end=end.value)
    return end


def worker_instance() -> DagsterInstance:
    """The Dagster instance of this process, opened at its first run and kept."""
    if os.getpid() not in _instances:
        _instances[os.getpid()] = DagsterInstance.get()
    return _instances[os.getpid()]


def is_to_be_executed(run: DagsterRun) -> bool:
    return run.status in {DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING}


def end_of(run: DagsterRun, instance: DagsterInstance, trace: RunTrace) -> RunEnd:
    """Execute the run. What breaks it is in its event log already, so it does not break the worker."""
    end = RunEnd.BROKEN
    try:
        with keeping_back(instance, run.run_id):
            for event in executed(run, instance):
                trace.see(event)
                end = end_told_by(event) or end
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        return RunEnd.INTERRUPTED if end is RunEnd.BROKEN else end
    except Exception as error:
        log.warning("run_broke", run_id=run.run_id, exc_info=error)
    return end


def keeping_back(instance: DagsterInstance, run_id: str) -> AbstractContextManager[None]:
    storage = instance.event_log_storage
    return storage.keeping_back(run_id) if isinstance(storage, PooledEventLogStorage) else nullcontext()


def end_told_by(event: DagsterEvent) -> RunEnd | None:
    match event.event_type:
        case DagsterEventType.RUN_SUCCESS:
            return RunEnd.SUCCESS
        case DagsterEventType.RUN_CANCELED:
            return RunEnd.CANCELED
        case DagsterEventType.RUN_FAILURE:
            return RunEnd.INTERRUPTED if was_interrupted(event) else RunEnd.FAILURE
        case _:
            return None


def conclude(run_id: str, instance: DagsterInstance) -> None:
    """See to it that Dagster knows that the run has ended: it swallows errors in writing the event that says so
    (dagster/_core/instance/types.py), and an interrupt may have come before the run's own handling of it."""
    deadline = time.monotonic() + CONCLUDE_WITHIN.total_seconds()
    while True:
        try:
            report_end_if_missing(run_id, instance)
        except (SQLAlchemyError, DagsterPostgresException) as error:
            if time.monotonic() > deadline:
                log.warning("run_not_concluded", run_id=run_id, error_type=type(error).__name__)
                return
            time.sleep(1)
        else:
            return


def report_end_if_missing(run_id: str, instance: DagsterInstance) -> None:
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return
    if run.status is DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, "The run was cancelled before its first step.")
    else:
        instance.report_run_failed(run, "The run's worker was stopped, or could not write how the run ended.")


def release(run: DagsterRun, *, interrupted: bool, settings: Settings) -> None:
    """Give back what the run still holds. While Postgres is away the lease lapses instead, since no heart beats any more, and the sweep
    does it."""
    let_go(run.run_id)
    batch = run.tags.get(BATCH_TAG)
    if batch is None:
        return
    policy = RetryPolicy(settings.max_attempts, timedelta(seconds=settings.backoff_base_seconds))
    try:
        database = shared_database(settings.required("database_url_runs"), name="runs")
        identity = identity_of(database, run, batch_id=UUID(batch))
        if identity is None:
            return
        settled = release_run(database, identity, interrupted=interrupted, policy=policy, jitter=random.SystemRandom())
    except (StoreUnavailable, ValueError) as error:
        log.warning("jobs_not_released", run_id=run.run_id, error_type=type(error).__name__)
        return
    if settled is not None:
        log.info("jobs_released", run_id=run.run_id, jobs=len(settled.statuses), interrupted=interrupted)


def identity_of(database: Database, run: DagsterRun, *, batch_id: UUID) -> RunIdentity | None:
    """The run as the ledger knows it; None for a batch that does not exist."""
    tenant = run.tags.get(TENANT_ID_TAG)
    tenant_id = UUID(tenant) if tenant else tenant_of_batch(database, batch_id)
    return RunIdentity(run_id=run.run_id, batch_id=batch_id, tenant_id=tenant_id) if tenant_id else None
