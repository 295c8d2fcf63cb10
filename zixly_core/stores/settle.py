"""Settle: write what a run came to with its jobs, in one fenced transaction, with the counters that only grow."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from zixly_core.errors import VendorDown
from zixly_core.job import Cancelled, Completed, Failed, JobEnd, JobStatus, NextStep, Waits, next_step
from zixly_core.metrics import JOB_DURATION
from zixly_core.stores.claims import Progress, RunIdentity, entries_text, still_held, text_of, write_progress, write_related
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.histograms import COUNTER_SHARDS, add_values
from zixly_core.stores.packed import packed_rows
from zixly_core.stores.rows import rows_from
from zixly_core.stores.sweep_counts import count_sweeps
from zixly_core.stores.waiting import write_waits

DURATION = "duration"

HANDED_BACK = "handed_back"

ENDS_COLUMNS = (
    "id uuid, fence int, status text, result text, error_message text, error_reason text, delay interval, parked_reason text, "
    "blocked_by uuid, uses_attempt boolean, dead_letter boolean, metrics text, error_system text, error_operation text, "
    "checkpoint text, entries text"
)
# What a step learned about a job that ends with it is written by the statement that ends it. A job that goes back to the queue leaves
# its batch; one that ended stays in it, for the record. What a connection alone holds up keeps its place in the queue.
ENDS_SQL = f"""
update zixly.workflow_jobs j
set status = t.status, result = coalesce(t.result::jsonb, j.result), error_message = t.error_message,
    error_reason = t.error_reason, error_system = t.error_system, error_operation = t.error_operation,
    lease_until = null, fence = j.fence + 1, dead_letter = t.dead_letter,
    metrics = j.metrics || t.metrics::jsonb,
    checkpoint = coalesce(j.checkpoint || t.checkpoint::jsonb, j.checkpoint),
    execution_log = coalesce(j.execution_log || t.entries::jsonb, j.execution_log),
    attempts = case when t.uses_attempt then j.attempts else greatest(j.attempts - 1, 0) end,
    run_id = case when t.status = 'QUEUED' then null else j.run_id end,
    batch_id = case when t.status = 'QUEUED' then null else j.batch_id end,
    handed_over_at = case when t.status = 'QUEUED' then null else j.handed_over_at end,
    due_at = case when t.status <> 'QUEUED' or (t.blocked_by is not null and t.delay = interval '0') then j.due_at
                  else now() + t.delay end,
    parked_reason = t.parked_reason, blocked_by = t.blocked_by, waiting_until = null,
    completed_at = case when t.status = 'QUEUED' then null else clock_timestamp() end
from {rows_from(ENDS_COLUMNS)}
where j.id = t.id and j.fence = t.fence and j.status = 'RUNNING' and j.run_id = %s
returning j.id, j.workflow_type, j.status, j.due_at, j.checkpoint ->> 'ticker' as ticker,
          extract(epoch from clock_timestamp() - j.first_op_at)::float8 as seconds"""

ATTEMPT_COLUMNS = (
    "job_id uuid, attempt int, fence int, tenant_id uuid, run_id text, outcome text, error_reason text, error_message text, "
    "started_at timestamptz"
)
ATTEMPTS_SQL = f"""
insert into zixly.job_attempts (job_id, attempt, fence, tenant_id, run_id, outcome, error_reason, error_message, started_at)
select * from {rows_from(ATTEMPT_COLUMNS)} on conflict do nothing"""

END_BATCH_SQL = """
update zixly.batches set ended_at = now() where id = %(batch_id)s and run_id = %(run_id)s and ended_at is null
and not exists (select from zixly.workflow_jobs where batch_id = %(batch_id)s and status in ('QUEUED', 'RUNNING'))"""

COUNTER_COLUMNS = "name text, job_type text, status text, shard smallint, value float8"
COUNTERS_SQL = f"""
insert into zixly.job_counters (name, job_type, status, shard, value)
select name, job_type, status, shard, value
from {rows_from(COUNTER_COLUMNS)}
on conflict (name, job_type, status, shard) do update set value = job_counters.value + excluded.value"""

PARK_SQL = "update zixly.connections set parked_until = now() + %s, parked_reason = %s where id = %s"


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon failed attempts are tried again."""

    max_attempts: int
    base: timedelta
    vendor_patience: timedelta = timedelta(hours=24)
    """For how long a job is parked without using attempts because its vendor is blamed. A request that a vendor can never answer
    looks like an outage where nothing else is asked of the account; it must come to a person's notice."""


@dataclass(frozen=True)
class Settled:
    """What was written: the jobs by what they became, and those that were no longer ours."""

    statuses: Mapping[UUID, JobStatus]
    due_at: Mapping[UUID, datetime]
    lost: tuple[UUID, ...]


def settle(
    database: Database,
    run: RunIdentity,
    ends: Sequence[JobEnd],
    *,
    learned: Sequence[Progress] = (),
    policy: RetryPolicy,
    jitter: random.Random,
) -> Settled:
    """Write the ends of this run's jobs, and what was `learned` about these and others, at most one of each job; jobs that were taken
    over meanwhile are left to their new owner."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        jobs = {job.id: job for job in [*(one.job for one in ends), *(one.job for one in learned)]}
        held = still_held(connection, run, list(jobs.values()))
        kept = [with_patience(end, policy=policy) for end in ends if end.job.id in held]
        known = {one.job.id: one for one in learned if one.job.id in held}
        ending = {one.job.id for one in kept if not isinstance(one.end, Waits)}
        write_progress(connection, run, [one for job_id, one in known.items() if job_id not in ending])
        write_related(connection, [one for job_id, one in known.items() if job_id in ending])
        rows = write_ends(connection, run, kept, learned=known, policy=policy, jitter=jitter) if kept else []
        connection.execute(END_BATCH_SQL, {"batch_id": run.batch_id, "run_id": run.run_id})
    return Settled(
        statuses={row["id"]: JobStatus(row["status"]) for row in rows},
        due_at={row["id"]: row["due_at"] for row in rows},
        lost=tuple(end.job.id for end in ends if end.job.id not in held),
    )


def write_ends(
    connection: Rows,
    run: RunIdentity,
    ends: Sequence[JobEnd],
    *,
    learned: Mapping[UUID, Progress],
    policy: RetryPolicy,
    jitter: random.Random,
) -> list[dict[str, Any]]:
    """Ends are written with the attempt that they end; a job that waits goes on with its attempt."""
    waiting = write_waits(connection, run.run_id, ends)
    ended = [one for one in ends if not isinstance(one.end, Waits)]
    if not ended:
        return waiting
    steps = {one.job.id: step_after(one, policy=policy, jitter=jitter) for one in ended}
    written = [(*end_row(one, steps[one.job.id]), *learned_row(learned.get(one.job.id))) for one in ended]
    rows = list(connection.execute(ENDS_SQL, [*packed_rows(ENDS_COLUMNS, written), run.run_id]))
    attempts = [attempt_row(run, one, steps[one.job.id]) for one in ended]
    connection.execute(ATTEMPTS_SQL, packed_rows(ATTEMPT_COLUMNS, attempts))
    write_counters(connection, rows, outcomes=[row[5] for row in attempts])
    return [*rows, *waiting]


def learned_row(progress: Progress | None) -> tuple[str | None, str | None]:
    return (None, None) if progress is None else (text_of(progress.checkpoint), entries_text(progress))


def step_after(one: JobEnd, *, policy: RetryPolicy, jitter: random.Random) -> NextStep:
    match one.end:
        case Completed():
            return NextStep(JobStatus.COMPLETED, timedelta())
        case Cancelled():
            return NextStep(JobStatus.CANCELLED, timedelta())
        case Waits() as wait:
            return NextStep(JobStatus.RUNNING, wait.look_after, uses_attempt=False)
        case Failed() as failure:
            return next_step(failure, attempts=one.job.attempts, max_attempts=policy.max_attempts, base=policy.base, jitter=jitter)


def with_patience(one: JobEnd, *, policy: RetryPolicy) -> JobEnd:
    """The same end; a failure that a vendor is blamed for does not park a job any more that is too old for that."""
    job, failure = one.job, one.end
    is_old = job.created_at is not None and datetime.now(UTC) - job.created_at > policy.vendor_patience
    if isinstance(failure, Failed) and failure.reason == VendorDown.default_reason and failure.was_sent and is_old:
        return JobEnd(job, replace(failure, parks=False))
    return one


def end_row(one: JobEnd, step: NextStep) -> tuple[Any, ...]:
    failure = one.end if isinstance(one.end, Failed) else None
    result = text_of(dict(one.end.result)) if isinstance(one.end, Completed) else None
    milliseconds = round((datetime.now(UTC) - one.job.started_at).total_seconds() * 1000)
    return (
        one.job.id,
        one.job.fence,
        step.status.value,
        result,
        failure.message if failure else None,
        failure.reason if failure else None,
        step.delay,
        failure.reason if failure and failure.parks and failure.reason != HANDED_BACK else None,
        failure.connection_id if failure and failure.parks else None,
        step.uses_attempt,
        step.status is JobStatus.FAILED,
        text_of({"last_attempt_ms": max(milliseconds, 0)}),
        failure.system if failure else None,
        failure.operation if failure else None,
    )


def attempt_row(run: RunIdentity, one: JobEnd, step: NextStep) -> tuple[Any, ...]:
    failure = one.end if isinstance(one.end, Failed) else None
    return (
        one.job.id,
        one.job.attempts,
        one.job.fence,
        one.job.tenant_id,
        run.run_id,
        outcome_of(failure, step),
        failure.reason if failure else None,
        failure.message if failure else None,
        one.job.started_at,
    )


def outcome_of(failure: Failed | None, step: NextStep) -> str:
    """How the attempt is written down: its end, or why there is another."""
    if failure is None or step.status is JobStatus.FAILED:
        return step.status.value.lower()
    if failure.reason == HANDED_BACK:
        return HANDED_BACK
    return "parked" if failure.parks else "retry"


def write_counters(connection: Rows, rows: Sequence[Mapping[str, Any]], *, outcomes: Sequence[str]) -> None:
    """Raise the counters of ended jobs and attempts. One row per process shard, so that writers rarely meet."""
    shard = os.getpid() % COUNTER_SHARDS
    counts: dict[tuple[str, str, str], float] = {}
    workflow = rows[0]["workflow_type"] if rows else ""
    for outcome in outcomes:
        key = ("attempts", workflow, outcome)
        counts[key] = counts.get(key, 0) + 1
    ended = [row for row in rows if row["status"] != JobStatus.QUEUED]
    for row in ended:
        key = ("processed", row["workflow_type"], row["status"].lower())
        counts[key] = counts.get(key, 0) + 1
    if counts:
        connection.execute(COUNTERS_SQL, packed_rows(COUNTER_COLUMNS, [(*key, shard, counts[key]) for key in sorted(counts)]))
    count_sweeps(connection, [(row["ticker"], row["status"]) for row in ended if row.get("ticker")], shard=shard)
    for workflow_type, status in sorted({(row["workflow_type"], row["status"]) for row in ended}):
        seconds = [row["seconds"] or 0.0 for row in ended if (row["workflow_type"], row["status"]) == (workflow_type, status)]
        add_values(
            connection,
            DURATION,
            job_type=workflow_type,
            status=status.lower(),
            shard=shard,
            values=seconds,
            bounds=JOB_DURATION.buckets,
        )


def park_connection(database: Database, run: RunIdentity, connection_id: UUID, *, until: timedelta, reason: str) -> None:
    """Leave a connection alone for a while: its jobs wait, stated as parked."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        connection.execute(PARK_SQL, (until, reason, connection_id))
