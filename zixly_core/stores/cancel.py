"""Cancel and retry by hand: what people do to single jobs and whole runs. Each is written to the audit log."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows
from zixly_core.stores.histograms import COUNTER_SHARDS
from zixly_core.stores.rows import columns_of
from zixly_core.stores.settle import ATTEMPTS_SQL, COUNTERS_SQL
from zixly_core.stores.waiting import IS_WAITING

# A job that nobody works on ends at once, also one that waits for an outside service; a running one is asked to, and stops
# between steps and vendor calls.
CANCEL_SQL = f"""
with chosen as (
  select id, attempts, fence, last_run_id, started_at, {IS_WAITING} as was_waiting, status = 'QUEUED' or {IS_WAITING} as is_idle
  from zixly.workflow_jobs where {{chosen}} and status in ('QUEUED', 'RUNNING') for update
)
update zixly.workflow_jobs j
set cancel_requested_at = coalesce(j.cancel_requested_at, now()),
    status = case when c.is_idle then 'CANCELLED' else j.status end,
    completed_at = case when c.is_idle then now() else j.completed_at end,
    fence = case when c.is_idle then j.fence + 1 else j.fence end,
    waiting_until = case when c.is_idle then null else j.waiting_until end
from chosen c where j.id = c.id
returning j.id, j.tenant_id, j.workflow_type, j.status, c.was_waiting, c.attempts, c.fence, c.last_run_id, c.started_at"""

RETRY_SQL = """
update zixly.workflow_jobs
set status = 'QUEUED', batch_id = null, run_id = null, due_at = now(), completed_at = null, dead_letter = false,
    cancel_requested_at = null, handed_over_at = null, fence = fence + 1
where id = %s and status = 'FAILED'
returning id, tenant_id, system, workflow_type, status"""

STATUS_SQL = "select status from zixly.workflow_jobs where id = %s"


def cancel_job(connection: Rows, *, job_id: UUID, actor: str) -> str | None:
    """Cancel one job. Its status afterwards (CANCELLED, or RUNNING while it is being stopped, or the end it had reached before);
    None when there is no such job."""
    rows = list(connection.execute(CANCEL_SQL.format(chosen="id = %s"), (job_id,)))
    if not rows:
        return status_of(connection, job_id)
    note_cancelled(connection, rows, actor=actor)
    status: str = rows[0]["status"]
    return status


def request_cancel_of_run(connection: Rows, *, run_id: str, batch_id: UUID | None, actor: str) -> list[UUID]:
    """Cancel the open jobs of a run: by its batch, when the run has not claimed anything yet. The ids of the jobs."""
    chosen = "(run_id = %s or (batch_id = %s and status = 'QUEUED'))"
    rows = list(connection.execute(CANCEL_SQL.format(chosen=chosen), (run_id, batch_id)))
    note_cancelled(connection, rows, actor=actor)
    return sorted({row["id"] for row in rows})


def retry_job(connection: Rows, *, job_id: UUID, actor: str) -> str | None:
    """Put a job that ended FAILED back to the queue, to go on from its checkpoint with one more attempt. Its status afterwards;
    None when there is no such job."""
    row = connection.execute(RETRY_SQL, (job_id,)).fetchone()
    if row is None:
        return status_of(connection, job_id)
    note(connection, actor=actor, action="job.retry", subject=job_id, tenant_id=row["tenant_id"])
    status: str = row["status"]
    return status


def status_of(connection: Rows, job_id: UUID) -> str | None:
    row = connection.execute(STATUS_SQL, (job_id,)).fetchone()
    return row["status"] if row else None


def note_cancelled(connection: Rows, rows: list[dict[str, Any]], *, actor: str) -> None:
    """Audit, and count the jobs that ended by it, with the attempts of those that were waiting."""
    for row in rows:
        note(connection, actor=actor, action="job.cancel", subject=row["id"], tenant_id=row["tenant_id"])
    count_cancelled(connection, rows)


def count_cancelled(connection: Rows, rows: list[dict[str, object]]) -> None:
    """Count the jobs that ended by it, with the attempts of those that were waiting."""
    ended = Counter(str(row["workflow_type"]) for row in rows if row["status"] == "CANCELLED")
    waited = [row for row in rows if row["was_waiting"]]
    counts = [("processed", name, float(count)) for name, count in ended.items()]
    counts += [("attempts", name, float(count)) for name, count in Counter(str(row["workflow_type"]) for row in waited).items()]
    if waited:
        connection.execute(ATTEMPTS_SQL, columns_of([cancelled_attempt(row) for row in waited]))
    if counts:
        shard = os.getpid() % COUNTER_SHARDS
        connection.execute(COUNTERS_SQL, columns_of([(kind, name, "cancelled", shard, count) for kind, name, count in sorted(counts)]))


def cancelled_attempt(row: Mapping[str, object]) -> tuple[object, ...]:
    """The attempt that waited, as its end is written down."""
    names = ("id", "attempts", "fence", "tenant_id", "last_run_id")
    return (*(row[name] for name in names), "cancelled", None, None, row["started_at"])
