"""Launches runs in warm workers: a Celery message with the run's id, and nothing else.

A subclass of dagster-celery's launcher. Ours registers no task on each launch, keeps no Celery results, uses the run's id as the
task's, takes a run's health from the leases of its jobs, and ends a run as cancelled where stock ends it as failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from dagster import DagsterRun, DagsterRunStatus, Field, StringSource
from dagster._config import UserConfigSchema
from dagster._core.events import EngineEventData
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._serdes import ConfigurableClassData
from dagster_celery.launcher import CeleryRunLauncher

from zixly_core.process import shared_database
from zixly_core.settings import read_settings
from zixly_core.stores.cancel import request_cancel_of_run
from zixly_core.stores.leases import Lease, lease_of_run
from zixly_dagster.instance.coordinator import LIVE, USER_TAG
from zixly_dagster.instance.workers_app import BULK_QUEUE, EXECUTE_RUN, LIVE_QUEUE, PRIORITY_OF, workers_app
from zixly_dagster.workflow import BATCH_TAG, LANE_TAG, PRIORITY_TAG

NOT_STARTED = {DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING}
LOWEST_PRIORITY = PRIORITY_OF["low"]


class WarmRunLauncher(CeleryRunLauncher):
    """Configured in dagster.yaml as `run_launcher`, with the broker's URL."""

    def __init__(self, broker: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self.broker = broker
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
        return cls(inst_data=inst_data, broker=config_value["broker"])

    def launch_run(self, context: LaunchRunContext) -> None:
        """Put the run's id on the queue of its lane. Raises what Celery raises when the broker is away; Dagster then reports the
        run as failed, and the sweep gives its jobs back."""
        run = context.dagster_run
        lane = LIVE_QUEUE if run.tags.get(LANE_TAG) == LIVE else BULK_QUEUE
        priority = PRIORITY_OF.get(run.tags.get(PRIORITY_TAG, "low"), LOWEST_PRIORITY)
        self.celery.send_task(EXECUTE_RUN, args=[run.run_id], task_id=run.run_id, queue=lane, priority=priority, ignore_result=True)

    def terminate(self, run_id: str) -> bool:
        """Cancel the run's open jobs, then stop the run: at once when no worker has it yet, by an interrupt otherwise."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._cancel_jobs(run)
        if run.status in NOT_STARTED:
            self.celery.control.revoke(run_id)
            self._instance.report_run_canceling(run, message="Cancelled before a worker took it.")
            self._instance.report_run_canceled(run)
            return True
        if run.status != DagsterRunStatus.CANCELING:
            self._instance.report_run_canceling(run)
        self.celery.control.revoke(run_id, terminate=True, signal="SIGINT")
        return True

    @property
    def supports_resume_run(self) -> bool:
        return False

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Alive while its jobs' lease is. A run that has claimed nothing yet, or no more, is judged by the sweep."""
        lease = lease_of_run(shared_database(read_settings().required("database_url_dispatch"), name="dispatch"), run.run_id)
        if lease is Lease.LAPSED:
            return CheckRunHealthResult(WorkerStatus.FAILED, "The lease of its jobs was not renewed.")
        return CheckRunHealthResult(WorkerStatus.RUNNING)

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        return f"Celery task {run.run_id}; its jobs: GET /api/jobs?run={run.run_id}"

    def _cancel_jobs(self, run: DagsterRun) -> None:
        batch = run.tags.get(BATCH_TAG)
        database = shared_database(read_settings().required("database_url_dispatch"), name="dispatch")
        with database.transaction() as connection:
            actor = run.tags.get(USER_TAG, "dagster-ui")
            job_ids = request_cancel_of_run(connection, run_id=run.run_id, batch_id=UUID(batch) if batch else None, actor=actor)
        self._instance.report_engine_event(f"Cancelling {len(job_ids)} jobs.", run, EngineEventData({"batch": batch or "none"}))
