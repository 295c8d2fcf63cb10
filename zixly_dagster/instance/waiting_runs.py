"""Runs that wait, in Dagster's queue or for a free worker in a queue of the broker: their batches are nobody's fault.

A long backlog keeps batches waiting for longer than a run may take to claim its jobs. To hand their jobs over again would put them behind,
once for each sweep. So the time in which a run must claim begins when a worker takes it; a run that was asked for and never made, or whose
message was lost, is in no queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from zixly_dagster.instance.launcher import WarmRunLauncher
from zixly_dagster.workflow import BATCH_TAG

# Made, and not begun.
AHEAD = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.QUEUED, DagsterRunStatus.STARTING]


@dataclass
class WaitingRuns:
    """What waited at the last look: a run that has left its queue since then was launched, or taken, a moment ago."""

    before: set[str] = field(default_factory=set)

    def batches(self, instance: DagsterInstance, among: Sequence[UUID]) -> set[UUID]:
        """Those whose run waits, or waited at the last look. None that waits for a worker while the broker is away."""
        if not among:
            return set()
        launcher = instance.run_launcher
        ahead = RunsFilter(statuses=AHEAD, tags={BATCH_TAG: [str(one) for one in among]})
        runs = {run.run_id: run for run in instance.get_runs(ahead)}
        waiting = {run_id for run_id, run in runs.items() if run.status is DagsterRunStatus.QUEUED}
        if runs and isinstance(launcher, WarmRunLauncher):
            waiting |= launcher.waiting() & runs.keys()
        spared = waiting | (self.before & runs.keys())
        self.before = waiting
        return {UUID(runs[run_id].tags[BATCH_TAG]) for run_id in spared}
