"""Runs that wait for a free worker, in a queue of the broker: their batches are nobody's fault.

A long backlog keeps batches waiting for longer than a run may take to claim its jobs. To hand their jobs over again would put them behind,
once for each sweep. So the time in which a run must claim begins when a worker takes it; a run whose message was lost is in no queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from zixly_dagster.instance.launcher import WarmRunLauncher
from zixly_dagster.workflow import BATCH_TAG

# Sent to the broker, and not begun.
LAUNCHED = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING]


@dataclass
class WaitingRuns:
    """What waited at the last look: a run that has left its queue since then was taken a moment ago."""

    before: set[str] = field(default_factory=set)

    def batches(self, instance: DagsterInstance, among: Sequence[UUID]) -> set[UUID]:
        """Those whose run waits, or waited at the last look. None while the broker is away."""
        launcher = instance.run_launcher
        if not among or not isinstance(launcher, WarmRunLauncher):
            return set()
        launched = RunsFilter(statuses=LAUNCHED, tags={BATCH_TAG: [str(one) for one in among]})
        batch_of = {run.run_id: UUID(run.tags[BATCH_TAG]) for run in instance.get_runs(launched)}
        waiting = launcher.waiting() & batch_of.keys() if batch_of else set()
        spared = waiting | (self.before & batch_of.keys())
        self.before = waiting
        return {batch_of[run_id] for run_id in spared}
