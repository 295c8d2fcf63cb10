"""Launches runs in warm workers: a Celery message with the run's id, and nothing else.

A subclass of dagster-celery's launcher. Ours registers no task on each launch, keeps no Celery results, uses the run's id as the
task's, takes a run's health from the leases of its jobs, and ends a run as cancelled where stock ends it as failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from dagster import DagsterRun, DagsterRunStatus, Field, StringSource
from dagster_celery.launcher import CeleryRunLauncher
from kombu.exceptions import OperationalError
from redis import RedisError

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.leases import Lease
from zixly_dagster.instance.coordinator import LIVE
from zixly_dagster.instance.gateway_user import USER_TAG
from zixly_dagster.instance.private_names import (
    CheckRunHealthResult,
    ConfigurableClassData,
    LaunchRunContext,
    UserConfigSchema,
    WorkerStatus,
)
from zixly_dagster.instance.run_ledger import PostgresRunLedger, RunLedger
from zixly_dagster.instance.workers_app import BULK_QUEUE, EXECUTE_RUN, LIVE_QUEUE, priority_of, waiting_runs, workers_app
from zixly_dagster.workflow import BATCH_TAG, LANE_TAG, PRIORITY_TAG

NOT_STARTED = {DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING}
# What kombu lets through when the broker is away.
BROKER_ERRORS = (OperationalError, RedisError, OSError)

# A worker's main process answers at once, whatever its children do; it may have to wait for a core.
WORKERS_ANSWER_SECONDS = 2.0

log = structlog.get_logger()


class WarmRunLauncher(CeleryRunLauncher):
    """Configured in dagster.yaml as `run_launcher`, with the broker's URL."""

    def __init__(self, broker: str, inst_data: ConfigurableClassData | None = None, *, ledger: RunLedger | None = None) -> None:
        self._inst_data = inst_data
        self._ledger = ledger or PostgresRunLedger()
        self.broker = self._broker = broker
        self.backend = None
        self.include = []
        self.config_source = {}
        self.default_queue = LIVE_QUEUE
        self.celery = workers_app(broker)
        super(CeleryRunLauncher, self).__init__()  # type: ignore[no-untyped-call]  # the parent's own would make another app

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {"broker": Field(StringSource, description="URL of the Celery broker (Redis or Valkey).")}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> WarmRunLauncher:
        return cls(config_value["broker"], inst_data=inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Put the run's id on the queue of its lane. Raises what kombu raises when the broker is away; Dagster then reports the
        run as failed, and its jobs are due again."""
        run = context.dagster_run
        try:
            self._send(run)
        except BROKER_ERRORS:
            self.take_jobs_back(run, why="The workers' broker is away")
            raise

    def _send(self, run: DagsterRun) -> None:
        is_live = run.tags.get(LANE_TAG) == LIVE
        self.celery.send_task(
            EXECUTE_RUN,
            args=[run.run_id],
            task_id=run.run_id,
            queue=LIVE_QUEUE if is_live else BULK_QUEUE,
            priority=priority_of(run.tags.get(PRIORITY_TAG), is_live=is_live),
            ignore_result=True,
        )

    def take_jobs_back(self, run: DagsterRun, *, why: str) -> None:
        """At once, so that nobody waits for the sweep; which does it when the ledger is away as well. What is claimed is left alone."""
        batch = run.tags.get(BATCH_TAG)
        if batch is None:
            return
        try:
            count = self._ledger.take_back(UUID(batch))
        except StoreUnavailable as error:
            log.warning("jobs_not_taken_back", run_id=run.run_id, batch_id=batch, reason=error.reason)
            return
        self._instance.report_engine_event(f"{why}: {count} jobs are due again.", run)

    def waiting(self) -> set[str]:
        """The runs that wait in a queue for a worker; none while the broker is away."""
        try:
            return waiting_runs(self._broker)
        except BROKER_ERRORS as error:
            log.warning("queues_not_read", error_type=type(error).__name__)
            return set()

    def in_hand(self, run_ids: Sequence[str]) -> set[str] | None:
        """Those of the runs that wait in a queue or that a worker has; None when the broker is away or no worker answers. Queues are read
        before workers are asked: a run that is taken in between is found with its worker."""
        try:
            waiting = waiting_runs(self._broker)
            answers = self.celery.control.inspect(timeout=WORKERS_ANSWER_SECONDS).query_task(*run_ids)
        except BROKER_ERRORS as error:
            log.warning("workers_not_asked", error_type=type(error).__name__)
            return None
        if not answers:
            return None
        return {run_id for run_id in run_ids if run_id in waiting or any(run_id in tasks for tasks in answers.values())}

    def holds_lease(self, run_id: str) -> bool:
        """Raises `StoreUnavailable`."""
        return self._ledger.lease_of(run_id) is Lease.LIVE

    def terminate(self, run_id: str) -> bool:
        """Cancel the run's open jobs, then stop the run: at once when no worker has it yet, by an interrupt otherwise. False when
        it has ended. Raises `StoreUnavailable` when the ledger is away; then nothing was done."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._cancel_jobs(run)
        if run.status is not DagsterRunStatus.CANCELING:
            self._instance.report_run_canceling(run)
        if run.status in NOT_STARTED:
            self._instance.report_run_canceled(run, "Cancelled before a worker took it.")
        self._stop_worker(run)
        return True

    @property
    def supports_resume_run(self) -> bool:
        return False

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Alive while its jobs' lease is. A run that has claimed nothing yet, or no more, is judged by the sweep."""
        try:
            lease = self._ledger.lease_of(run.run_id)
        except StoreUnavailable as error:
            return CheckRunHealthResult(WorkerStatus.UNKNOWN, str(error), transient=True)
        if lease is Lease.LAPSED:
            return CheckRunHealthResult(WorkerStatus.FAILED, "The lease of its jobs was not renewed.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        return f"Celery task {run.run_id}; its jobs: GET /api/jobs?run={run.run_id}"

    def _cancel_jobs(self, run: DagsterRun) -> None:
        batch = run.tags.get(BATCH_TAG)
        actor = run.tags.get(USER_TAG, "dagster-ui")
        count = self._ledger.cancel_jobs(run.run_id, batch_id=UUID(batch) if batch else None, actor=actor)
        self._instance.report_engine_event(f"Cancelling {count} jobs.", run)

    def _stop_worker(self, run: DagsterRun) -> None:
        """Workers forget a run that has not come to them, and interrupt one that they execute."""
        try:
            self.celery.control.revoke(run.run_id, terminate=True, signal="SIGINT")
        except BROKER_ERRORS as error:
            log.warning("run_not_interrupted", run_id=run.run_id, error_type=type(error).__name__)
            self._instance.report_engine_event("The broker is away: the run stops at its next step, not at once.", run)
