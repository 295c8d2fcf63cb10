"""Waiting: how a job comes to wait for an outside service, and how its wait ends.

A waiting job is RUNNING with `waiting_until` (when to look next) and has neither lease nor batch, so no worker is held and no
sweep takes it back. Woken, it is due again with its checkpoint: the next run goes on with the same attempt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zixly_core.job import JobEnd, Waits
from zixly_core.stores.database import Rows
from zixly_core.stores.rows import columns_of, rows_from

IS_WAITING = "status = 'RUNNING' and lease_until is null and waiting_until is not null"

# A callback that came while the job was still in a run's hands ends the wait at once; one that the run has seen does not.
WAITS_SQL = f"""
update zixly.workflow_jobs j
set waiting_for = t.waiting_for, lease_until = null, run_id = null, batch_id = null, handed_over_at = null, fence = j.fence + 1,
    waiting_until = case when j.cancel_requested_at is not null or j.wake_event_id is distinct from t.seen then now()
                         else now() + t.look_after end,
    wake_event_id = case when j.wake_event_id is distinct from t.seen then j.wake_event_id end
from {rows_from("id uuid, fence int, waiting_for text, look_after interval, seen uuid")}
where j.id = t.id and j.fence = t.fence and j.status = 'RUNNING' and j.run_id = %s
returning j.id, j.workflow_type, j.status, j.waiting_until as due_at"""

# What the attempt has run so far is kept for its timeout; time in the queue does not count.
WAKE = "status = 'QUEUED', due_at = now(), ran_for = now() - started_at, waiting_until = null, fence = fence + 1"
WAKE_SQL = f"""
update zixly.workflow_jobs set {WAKE}
from {rows_from("job_id uuid, job_fence int")} where id = t.job_id and fence = t.job_fence and {IS_WAITING}
returning id, system"""


def write_waits(connection: Rows, run_id: str, ends: Sequence[JobEnd]) -> list[dict[str, Any]]:
    """Let these jobs of the run wait; the rows that were written."""
    waits = [(one.job, one.end) for one in ends if isinstance(one.end, Waits)]
    if not waits:
        return []
    rows = [(job.id, job.fence, end.waiting_for, end.look_after, job.wake_event_id) for job, end in waits]
    return list(connection.execute(WAITS_SQL, [*columns_of(rows), run_id]))


def wake(connection: Rows, jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """End the wait of these jobs (`id`, `fence`): they are due. The rows of those that were still waiting."""
    if not jobs:
        return []
    return list(connection.execute(WAKE_SQL, columns_of([(job["id"], job["fence"]) for job in jobs])))
