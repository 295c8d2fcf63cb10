"""The sweep: repair from the rows what queues, runs and workers forgot. It never launches anything itself.

It takes jobs back from runs whose lease lapsed, opens batches that no run came for, and tells which jobs are due and should be
announced again. Run it as often as you like, from as many places as you like.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from zixly_core.stores.database import Database, Rows
from zixly_core.stores.histograms import COUNTER_SHARDS
from zixly_core.stores.rows import columns_of
from zixly_core.stores.settle import ATTEMPTS_SQL, COUNTERS_SQL

AT_ONCE = 500

# `started_at` older than the timeout: the run is alive, but its attempt took too long and was not renewed any more. A job that was lost
# with others goes on however many attempts it has used up: which of them ended the worker shows when it is lost alone.
LAPSED_SQL = """
with lapsed as (
  select id, attempts, fence, tenant_id, run_id, started_at, workflow_type, batch_id, lost_attempts + 1 as lost,
         cancel_requested_at is not null as cancelled, started_at < now() - %(timeout)s::interval as timed_out,
         (select b.job_count = 1 from zixly.batches b where b.id = batch_id) as alone
  from zixly.workflow_jobs
  where status = 'RUNNING' and batch_id is not null and lease_until < now()
  order by id limit %(at_once)s for update skip locked
), unclaimed as (
  select j.id, j.attempts + 1 as attempts, j.fence, j.tenant_id, d.run_id, null::timestamptz as started_at, j.workflow_type, j.batch_id,
         j.lost_attempts + 1 as lost, j.cancel_requested_at is not null as cancelled, false as timed_out, b.job_count = 1 as alone
  from unnest(%(died_batches)s::uuid[], %(died_runs)s::text[]) as d (batch_id, run_id)
  join zixly.batches b on b.id = d.batch_id and b.run_id is null and b.ended_at is null
  join zixly.workflow_jobs j on j.batch_id = b.id and j.status = 'QUEUED'
  for update of b, j skip locked
), judged as (
  select *, case when cancelled then 'CANCELLED' when attempts >= %(max_attempts)s and alone then 'FAILED' else 'QUEUED' end as next_status,
    case when timed_out then 'timeout' else 'vanished' end as outcome,
    case when timed_out then 'The attempt took longer than ' || %(timeout)s::interval || ' and was ended.'
         else 'The run that worked on this job vanished: its lease was not renewed.' end as message
  from (select * from lapsed union all select * from unclaimed) as ended
)
update zixly.workflow_jobs j
set status = next_status, attempts = l.attempts, fence = j.fence + 1, lease_until = null, waiting_until = null, due_at = now(),
    error_reason = outcome,
    error_message = message || case when next_status = 'FAILED' then
      ' So ended ' || l.lost || ' of its ' || l.attempts || ' attempts, the last one while nothing else was worked on.' else '' end,
    error_system = null, error_operation = null, dead_letter = next_status = 'FAILED', lost_attempts = l.lost,
    run_id = case when next_status = 'QUEUED' then null else j.run_id end,
    batch_id = case when next_status = 'QUEUED' then null else j.batch_id end,
    handed_over_at = case when next_status = 'QUEUED' then null else j.handed_over_at end,
    completed_at = case when next_status = 'QUEUED' then null else now() end
from judged l where j.id = l.id
returning j.id, l.attempts, l.fence, l.tenant_id, l.run_id, l.started_at, l.workflow_type, l.outcome, l.message, j.status"""

RELEASED_SQL = """
with unclaimed as (
  select id from zixly.batches
  where ended_at is null and run_id is null and id <> all(%(spared)s::uuid[])
    and (id = any(%(died_batches)s::uuid[]) or created_at < now() - %(handover)s::interval)
  order by created_at limit %(at_once)s for update skip locked
), freed as (
  update zixly.workflow_jobs j set batch_id = null, handed_over_at = null
  from unclaimed where j.batch_id = unclaimed.id and j.status = 'QUEUED'
)
update zixly.batches b set ended_at = now() from unclaimed where b.id = unclaimed.id returning b.id"""

UNCLAIMED_SQL = """
select id from zixly.batches where ended_at is null and run_id is null and created_at < now() - %s::interval
order by created_at limit %s"""

ENDED_BATCHES_SQL = """
update zixly.batches b set ended_at = now()
where b.ended_at is null and b.run_id is not null
  and not exists (select from zixly.workflow_jobs j where j.batch_id = b.id and j.status in ('QUEUED', 'RUNNING'))"""

FORGOTTEN_SQL = """
select system, id from zixly.workflow_jobs
where status = 'QUEUED' and batch_id is null and blocked_by is null and due_at < now() - %(older_than)s::interval
order by due_at limit %(at_once)s"""


@dataclass(frozen=True)
class SweepLimits:
    """When something counts as forgotten. A batch whose run waits in a queue is not: whoever knows the queues tells which those are."""

    max_attempts: int
    attempt_timeout: timedelta
    handover: timedelta
    announce_after: timedelta = timedelta(seconds=10)


@dataclass(frozen=True)
class Begun:
    """Of the batches that no run has claimed yet those whose run waits or has begun lately, and those whose run has begun so long ago
    (batch -> run) that its process must be gone, which is an attempt at each of the jobs."""

    lately: Collection[UUID] = ()
    died: Mapping[UUID, str] = field(default_factory=dict)


NONE_BEGUN = Begun()


@dataclass(frozen=True)
class TakenBack:
    """A job taken back from a run that vanished, and what became of it."""

    job_id: UUID
    run_id: str | None
    outcome: str
    status: str


@dataclass(frozen=True)
class Swept:
    """What one sweep repaired."""

    taken_back: tuple[TakenBack, ...]
    released_batches: tuple[UUID, ...]
    to_announce: dict[str, list[UUID]]

    @property
    def vanished_runs(self) -> list[str]:
        """The runs to end in Dagster."""
        return sorted({one.run_id for one in self.taken_back if one.run_id})


def unclaimed_batches(database: Database, *, limits: SweepLimits) -> list[UUID]:
    """The batches that nobody has claimed for longer than a run takes to come. Whoever knows the runs tells which wait or have begun."""
    with database.transaction() as connection:
        return [row["id"] for row in connection.execute(UNCLAIMED_SQL, (limits.handover, AT_ONCE))]


def sweep(database: Database, *, limits: SweepLimits, begun: Begun = NONE_BEGUN) -> Swept:
    """One pass over the rows, as the role that dispatches. Raises `StoreUnavailable`."""
    values: dict[str, Any] = {
        "timeout": limits.attempt_timeout,
        "max_attempts": limits.max_attempts,
        "at_once": AT_ONCE,
        "handover": limits.handover,
        "older_than": limits.announce_after,
        "died_batches": list(begun.died),
        "died_runs": list(begun.died.values()),
        "spared": list(begun.lately),
    }
    with database.transaction() as connection:
        taken = list(connection.execute(LAPSED_SQL, values))
        write_story(connection, taken)
        released = [row["id"] for row in connection.execute(RELEASED_SQL, values)]
        connection.execute(ENDED_BATCHES_SQL)
        forgotten = list(connection.execute(FORGOTTEN_SQL, values))
    to_announce: dict[str, list[UUID]] = {}
    for row in forgotten:
        to_announce.setdefault(row["system"], []).append(row["id"])
    return Swept(
        taken_back=tuple(TakenBack(row["id"], row["run_id"], row["outcome"], row["status"]) for row in taken),
        released_batches=tuple(released),
        to_announce=to_announce,
    )


def write_story(connection: Rows, taken: Sequence[dict[str, Any]]) -> None:
    """The attempts that ended by themselves, and the counters of the jobs that ended with them."""
    if not taken:
        return
    attempts = [
        (
            r["id"],
            r["attempts"],
            r["fence"],
            r["tenant_id"],
            r["run_id"],
            r["outcome"],
            r["outcome"],
            r["message"],
            r["started_at"],
        )
        for r in taken
    ]
    connection.execute(ATTEMPTS_SQL, columns_of(attempts))
    shard = os.getpid() % COUNTER_SHARDS
    counts: dict[tuple[str, str, str], float] = {}
    for row in taken:
        keys = [("attempts", row["workflow_type"], row["outcome"])]
        if row["status"] != "QUEUED":
            keys.append(("processed", row["workflow_type"], row["status"].lower()))
        for key in keys:
            counts[key] = counts.get(key, 0) + 1
    connection.execute(COUNTERS_SQL, columns_of([(*key, shard, counts[key]) for key in sorted(counts)]))
