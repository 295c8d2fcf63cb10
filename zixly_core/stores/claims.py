"""Claims: a run takes its batch's jobs under a lease, renews it, and writes only while it holds it.

Every change of owner raises a job's `fence`; what a run writes names the fence it was given, so a run that was stopped for longer
than its lease finds that its writes match nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from zixly_core.job import ClaimedJob, LogEntry, RelatedRecord
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.packed import packed_rows
from zixly_core.stores.rows import rows_from

TENANT_SQL = "select zixly.tenant_of_batch(%s) as tenant_id"

# Locked in the order of ids, as everybody does who locks several jobs: the heartbeat runs beside the step that keeps its progress.
RENEW_SQL = """
with held as (
  select id from zixly.workflow_jobs
  where batch_id = %(batch_id)s and run_id = %(run_id)s and status = 'RUNNING' and started_at > now() - %(timeout)s::interval
  order by id for update
)
update zixly.workflow_jobs j set lease_until = now() + %(lease)s from held where j.id = held.id"""

# How each of the run's jobs stands: most often they are in its hands, with a lease that was renewed lately, and there is nothing to write.
STANDING_SQL = """
select id, fence, cancel_requested_at is not null as cancel_requested, wake_event_id,
       lease_until > now() + %(lease)s * %(fresh)s as is_fresh
from zixly.workflow_jobs where batch_id = %(batch_id)s and run_id = %(run_id)s and status = 'RUNNING'
order by occurred_at, id"""
# Of the lease, what must be left.
FRESH = 0.75

# The first run to come gets the batch; any other finds it taken.
TAKE_BATCH_SQL = """
update zixly.batches set run_id = %(run_id)s, claimed_at = now()
where id = %(batch_id)s and run_id is null and ended_at is null returning id"""

# The first line of the attempt in the job's log: that it was claimed is not written without it, nor does it cost a statement of its own.
CLAIMED_ENTRY = """execution_log = execution_log || jsonb_build_array(jsonb_build_object('step', 'claim', 'at', %(at)s::text,
      'message', concat('claimed by run ', %(run_id)s::text, ', attempt ', {attempt})))"""

# A job that was woken goes on with its attempt, and with the time that the attempt has run already.
TAKE_JOBS_SQL = f"""
update zixly.workflow_jobs
set status = 'RUNNING', run_id = %(run_id)s, last_run_id = %(run_id)s, fence = fence + 1,
    attempts = attempts + case when ran_for is null then 1 else 0 end, ran_for = null, waiting_until = null,
    lease_until = now() + %(lease)s, started_at = clock_timestamp() - coalesce(ran_for, interval '0'),
    first_op_at = coalesce(first_op_at, clock_timestamp()),
    {CLAIMED_ENTRY.format(attempt="attempts + case when ran_for is null then 1 else 0 end")}
where batch_id = %(batch_id)s and status = 'QUEUED'"""

# "Re-execute" in the Dagster UI: the unfinished jobs of the earlier run, unless somebody else works on their record.
REOPEN_BATCH_SQL = """
update zixly.batches set run_id = %(run_id)s, claimed_at = now(), ended_at = null
where id = %(batch_id)s and run_id is distinct from %(run_id)s and (ended_at is not null or run_id = any(%(earlier)s))
returning id"""

ADOPT_JOBS_SQL = f"""
update zixly.workflow_jobs j
set status = 'RUNNING', batch_id = %(batch_id)s, run_id = %(run_id)s, last_run_id = %(run_id)s, fence = fence + 1,
    attempts = attempts + 1, lease_until = now() + %(lease)s, started_at = clock_timestamp(), completed_at = null,
    dead_letter = false, error_message = null, error_reason = null, error_system = null,
    error_operation = null, parked_reason = null, cancel_requested_at = null,
    blocked_by = null, ran_for = null, waiting_until = null,
    {CLAIMED_ENTRY.format(attempt="attempts + 1")}
where j.last_run_id = any(%(earlier)s)
  and (j.status = 'FAILED' or (j.status = 'QUEUED' and j.batch_id is null) or (j.status = 'RUNNING' and j.lease_until < now()))
  and not exists (select from zixly.workflow_jobs o
                  where o.tenant_id = j.tenant_id and o.record_key = j.record_key and o.id <> j.id
                    and o.status in ('QUEUED', 'RUNNING') and (o.batch_id is not null or o.waiting_until is not null))"""

CLAIMED_COLUMNS = (
    "id, tenant_id, connection_id, record_key, record_id, occurred_at, created_at, attempts, fence, started_at, trigger_data as trigger, "
    "checkpoint, cancel_requested_at is not null as cancel_requested, event_id, wake_event_id, trace_id"
)
HELD_SQL = f"""
select {CLAIMED_COLUMNS}
from zixly.workflow_jobs where batch_id = %(batch_id)s and run_id = %(run_id)s and status = 'RUNNING' and lease_until > now()
order by occurred_at, id"""

FENCE_COLUMNS = "id uuid, fence int"
HELD_FOR_UPDATE_SQL = f"""
select j.id from zixly.workflow_jobs j join {rows_from(FENCE_COLUMNS)} on j.id = t.id and j.fence = t.fence
where j.run_id = %s and j.status = 'RUNNING' and j.lease_until > now() order by j.id for update of j"""

PROGRESS_COLUMNS = "id uuid, fence int, checkpoint text, entries text"
PROGRESS_SQL = f"""
update zixly.workflow_jobs j
set checkpoint = j.checkpoint || t.checkpoint::jsonb, execution_log = j.execution_log || t.entries::jsonb
from {rows_from(PROGRESS_COLUMNS)}
where j.id = t.id and j.fence = t.fence and j.status = 'RUNNING' and j.run_id = %s"""

RELATED_COLUMNS = "job_id uuid, tenant_id uuid, system text, record_type text, record_id text, action text, url text"
RELATED_SQL = f"""
insert into zixly.workflow_related_records (job_id, tenant_id, system, record_type, record_id, action, url)
select * from {rows_from(RELATED_COLUMNS)}
on conflict do nothing"""

BATCH_SQL = "select id, tenant_id, connection_id, workflow, system, lane, priority, job_count from zixly.batches where id = %s"


@dataclass(frozen=True)
class RunIdentity:
    """A run as the ledger knows it. `earlier` are the runs that it goes on from, when somebody re-executed one."""

    run_id: str
    batch_id: UUID
    tenant_id: UUID
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """What a step learned about a job: merged into its checkpoint, added to its log and related records."""

    job: ClaimedJob
    checkpoint: Mapping[str, Any] = field(default_factory=dict, repr=False)
    entries: Sequence[LogEntry] = ()
    related: Sequence[RelatedRecord] = ()


def tenant_of_batch(database: Database, batch_id: UUID) -> UUID | None:
    """Whose batch it is; None when there is no such batch."""
    with database.transaction() as connection:
        row = connection.execute(TENANT_SQL, (batch_id,)).fetchone()
    return row["tenant_id"] if row else None


def take_or_renew(
    database: Database, run: RunIdentity, *, lease: timedelta, timeout: timedelta, known: Mapping[UUID, ClaimedJob] | None = None
) -> list[ClaimedJob]:
    """The jobs in this run's hands, their lease renewed; the first call takes them. Empty for a run that came too late.

    An attempt that lasts longer than `timeout` is not renewed, and the sweep takes its job back. `known` is what an earlier call gave, with
    what the run has kept since: jobs that are still held under the same fence are not read again, since nobody else may change them.
    """
    values = {
        "run_id": run.run_id,
        "batch_id": run.batch_id,
        "lease": lease,
        "timeout": timeout,
        "earlier": list(run.earlier),
        "fresh": FRESH,
        "at": datetime.now(UTC).isoformat(),
    }
    with database.transaction(tenant_id=run.tenant_id) as connection:
        standing = list(connection.execute(STANDING_SQL, values))
        if known is not None and all(row["is_fresh"] and is_known(row, known) for row in standing):
            return [as_it_stands(known[row["id"]], row) for row in standing]
        if not standing or not all(row["is_fresh"] for row in standing):
            renew_and_take(connection, run, values)
        return [ClaimedJob(**row) for row in connection.execute(HELD_SQL, values)]


def is_known(row: Mapping[str, Any], known: Mapping[UUID, ClaimedJob]) -> bool:
    """Whether nobody else had the job since this run read it."""
    return row["id"] in known and known[row["id"]].fence == row["fence"]


def as_it_stands(job: ClaimedJob, row: Mapping[str, Any]) -> ClaimedJob:
    """With what others may say about a job while a run has it: that it is to be cancelled, and what it waited for."""
    if (job.cancel_requested, job.wake_event_id) == (row["cancel_requested"], row["wake_event_id"]):
        return job
    return replace(job, cancel_requested=row["cancel_requested"], wake_event_id=row["wake_event_id"])


def renew_and_take(connection: Rows, run: RunIdentity, values: Mapping[str, Any]) -> None:
    connection.execute(RENEW_SQL, values)
    if connection.execute(TAKE_BATCH_SQL, values).fetchone():
        connection.execute(TAKE_JOBS_SQL, values)
    if run.earlier and connection.execute(REOPEN_BATCH_SQL, values).fetchone():
        connection.execute(ADOPT_JOBS_SQL, values)


def renew(database: Database, run: RunIdentity, *, lease: timedelta, timeout: timedelta) -> int:
    """Renew the lease alone, between steps; the number of jobs still held."""
    values = {"run_id": run.run_id, "batch_id": run.batch_id, "lease": lease, "timeout": timeout}
    with database.transaction(tenant_id=run.tenant_id) as connection:
        return connection.execute(RENEW_SQL, values).rowcount


def still_held(connection: Rows, run: RunIdentity, jobs: Sequence[ClaimedJob]) -> set[UUID]:
    """Which of the jobs are still ours, locked until the transaction ends so that nobody takes them over meanwhile."""
    if not jobs:
        return set()
    members = [(job.id, job.fence) for job in jobs]
    rows = connection.execute(HELD_FOR_UPDATE_SQL, [*packed_rows(FENCE_COLUMNS, members), run.run_id])
    return {row["id"] for row in rows}


def save_progress(database: Database, run: RunIdentity, progress: Sequence[Progress]) -> None:
    """Keep what a step learned. What belongs to jobs that this run has lost is dropped: their new owner learns it anew."""
    if not progress:
        return
    with database.transaction(tenant_id=run.tenant_id) as connection:
        held = still_held(connection, run, [one.job for one in progress])
        write_progress(connection, run, [one for one in progress if one.job.id in held])


def write_progress(connection: Rows, run: RunIdentity, progress: Sequence[Progress]) -> None:
    """`save_progress` of jobs that are held, inside a transaction that does more."""
    if not progress:
        return
    rows = [(one.job.id, one.job.fence, text_of(one.checkpoint), entries_text(one)) for one in progress]
    connection.execute(PROGRESS_SQL, [*packed_rows(PROGRESS_COLUMNS, rows), run.run_id])
    write_related(connection, progress)


def write_related(connection: Rows, progress: Sequence[Progress]) -> None:
    told = [(one.job, record) for one in progress for record in one.related]
    related = [(job.id, job.tenant_id, r.system, r.record_type, r.record_id, r.action, r.url) for job, r in told]
    if related:
        connection.execute(RELATED_SQL, packed_rows(RELATED_COLUMNS, related))


def entries_text(progress: Progress) -> str:
    return text_of([entry.as_json() for entry in progress.entries])


def batch_row(database: Database, run: RunIdentity) -> dict[str, Any] | None:
    """The batch that names this run's jobs."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        return connection.execute(BATCH_SQL, (run.batch_id,)).fetchone()


def text_of(value: object) -> str:
    """JSON text without U+0000, which jsonb refuses."""
    return orjson.dumps(value, default=str).decode().replace("\\u0000", "")
