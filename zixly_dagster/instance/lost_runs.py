"""Runs that nobody has: their worker was killed, or the broker forgot their message. The lease of jobs tells of most of them; a run that
holds no lease (upkeep, watching, bulk runs that no worker took) would stay for ever, and keep its place among the few bulk runs.

A run is lost when it was in no worker's hands and in no queue at every look for longer than a lease. Workers are asked through the broker;
where none answers nothing is concluded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from zixly_core.errors import StoreUnavailable
from zixly_dagster.instance.launcher import WarmRunLauncher

# In the hands of a worker, or on the way there.
LAUNCHED = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
# A run is not looked for before it is as old as this: most have ended by then, and nobody need be asked. By its creation, as the worker
# that began with it may have a clock of its own.
OLD = timedelta(seconds=30)
# As long as a lease: a worker that says nothing for so long has lost its jobs as well.
MISSING_SECONDS = 60.0
AT_ONCE = 50
LOST = "No worker has this run and no queue holds it: its worker vanished, or its message was lost."

log = structlog.get_logger()


@dataclass
class LostRuns:
    """What was missing at the last look, and since when by the monotonic clock."""

    since: dict[str, float] = field(default_factory=dict)

    def end(self, instance: DagsterInstance, *, clock: Callable[[], float] = time.monotonic, older_than: timedelta = OLD) -> list[str]:
        """Report the lost runs as failed, or cancelled where that was asked for, and give back batches that they never claimed."""
        launcher = instance.run_launcher
        if not isinstance(launcher, WarmRunLauncher):
            return []
        old = RunsFilter(statuses=LAUNCHED, created_before=datetime.now(UTC) - older_than)
        runs = {run.run_id: run for run in instance.get_runs(old, limit=AT_ONCE, ascending=True)}
        known = launcher.in_hand(list(runs)) if runs else set()
        if known is None:
            return []
        lost = [run for run in (runs[run_id] for run_id in self.missing(set(runs) - known, now=clock())) if not is_held(launcher, run)]
        for run in lost:
            end_lost(instance, launcher, run)
        return [run.run_id for run in lost]

    def missing(self, run_ids: Collection[str], *, now: float) -> list[str]:
        """Those of the runs that are missing for long enough; what was found again begins anew when it is missed once more."""
        self.since = {run_id: self.since.get(run_id, now) for run_id in run_ids}
        return [run_id for run_id, began in self.since.items() if now - began >= MISSING_SECONDS]


def is_held(launcher: WarmRunLauncher, run: DagsterRun) -> bool:
    """Whether its jobs' lease is renewed all the same, or nobody can tell."""
    try:
        return launcher.holds_lease(run.run_id)
    except StoreUnavailable:
        return True


def end_lost(instance: DagsterInstance, launcher: WarmRunLauncher, run: DagsterRun) -> None:
    log.warning("run_lost", run_id=run.run_id, workflow=run.job_name, status=run.status.value)
    launcher.take_jobs_back(run, why="The run was lost")
    if run.status is DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, LOST)
    else:
        instance.report_run_failed(run, LOST)
