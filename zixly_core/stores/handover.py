"""Hand due jobs over: one query finds them, one transaction writes the batches that runs will work on.

Due time, priority, fairness between tenants, order per record, pauses and parking are all here, in SQL over the rows, and so
are the same on every queue.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any
from uuid import UUID

from zixly_core import metrics
from zixly_core.batching import HIGH, LOWEST, NO_BACKLOGS, Batch, DueJob, Room, Slots, batches_of
from zixly_core.stores.backlogs import OpenBatches, backlogs_of, open_batches, slots_among
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.gates import Gates, let_through, open_gates
from zixly_core.stores.histograms import COUNTER_SHARDS, add_values
from zixly_core.stores.owners import NOT_IN_HAND, OWNERS_GO_ON
from zixly_core.stores.packed import packed_rows
from zixly_core.stores.rows import rows_from
from zixly_core.stores.waiting import IS_WAITING, WAKE

# One writer at a time for each system: two dispatchers must not put two jobs of one record into two hands.
LOCK_SQL = "select pg_try_advisory_xact_lock(hashtext('zixly.dispatch'), hashtext(%s)) as mine"

# A system that a person paused; one whose sensor is switched off hands nothing over anyway.
PAUSED_SQL = "select from zixly.pauses where kind = 'system' and subject = %s and source = 'person'"

# What may go on: jobs whose callback came, and jobs that a connection held up which is well again, each in its old place. Accounts
# that have just begun to answer let their jobs go one by one.
RESUME_SQL = f"""
with woken as (
  update zixly.workflow_jobs set {WAKE} where system = %(system)s and wake_event_id is not null and {IS_WAITING} returning id
), freed as (
  update zixly.workflow_jobs j set blocked_by = null from zixly.connections c
  where j.system = %(system)s and j.status = 'QUEUED' and j.batch_id is null and j.blocked_by is not null and c.id = j.blocked_by
    and c.id <> all(%(gated)s) and c.status = 'ACTIVE' and c.paused_at is null and (c.parked_until is null or c.parked_until <= now())
  returning j.id
)
select (select count(*) from woken) as woken, (select count(*) from freed) as freed"""

# For the rest of a transaction: rows in the order of an index, of which the first few are wanted, are read in that order. Postgres expects
# that of a backlog's jobs hardly any may go, and so would find all of them, and sort: 220 ms beside 8,000 due jobs where it is 20 now.
BY_INDEX_SQL = "set local enable_sort = off"

# Tenants with waiting jobs by a loose index scan: one probe each, however many jobs they have. The jobs of each in the order of
# the index jobs_due. Left out: paused or parked owners, jobs that another connection blocks, and records that some run has in
# hand or that a job waits about. Of the jobs that took two workers with them one is in hand at a time.
DUE_SQL = f"""
with recursive waiting as (
  (select tenant_id from zixly.workflow_jobs where system = %(system)s and status = 'QUEUED' and batch_id is null
   order by tenant_id limit 1)
  union all
  select (select tenant_id from zixly.workflow_jobs j where j.system = %(system)s and j.status = 'QUEUED' and j.batch_id is null
          and j.tenant_id > w.tenant_id order by j.tenant_id limit 1)
  from waiting w where w.tenant_id is not null
)
select due.* from waiting
cross join lateral (
  select j.id, j.tenant_id, j.connection_id, j.workflow_type as workflow, least(w.max_batch, %(max_batch)s) as max_batch, j.lane,
         j.priority, j.record_key, j.due_at, j.lost_attempts, j.trace_id
  from zixly.workflow_jobs j {OWNERS_GO_ON}
  where j.system = %(system)s and j.tenant_id = waiting.tenant_id and j.status = 'QUEUED' and j.batch_id is null and j.due_at <= now()
    and j.blocked_by is null and j.priority <= %(lowest)s
    and (j.lane = any(%(lanes)s) or (j.lane = any(%(lanes_for_high)s) and j.priority = 0))
    and (j.connection_id <> all(%(gated)s) or not w.needs_source or j.id = any(%(released)s))
    and {NOT_IN_HAND}
    and (j.lost_attempts < 2 or not exists (select from zixly.workflow_jobs o where o.system = j.system and o.lost_attempts > 1
                                            and o.batch_id is not null and o.status in ('QUEUED', 'RUNNING')))
  order by j.priority, j.due_at, j.id
  limit %(per_tenant)s
  for update of j skip locked
) due"""

BATCH_COLUMNS = "id uuid, tenant_id uuid, connection_id uuid, workflow text, system text, lane text, priority smallint, job_count int"
NEW_BATCHES_SQL = f"""
insert into zixly.batches (id, tenant_id, connection_id, workflow, system, lane, priority, job_count)
select * from {rows_from(BATCH_COLUMNS)}"""

MEMBER_COLUMNS = "job_id uuid, batch_id uuid"
JOIN_BATCH_SQL = f"""
update zixly.workflow_jobs j set batch_id = t.batch_id, handed_over_at = now(), parked_reason = null
from {rows_from(MEMBER_COLUMNS)} where j.id = t.job_id and j.status = 'QUEUED' and j.batch_id is null"""

# Jobs whose owner is paused, parked or disconnected are due for as long as that takes; they are no reason to look all the time.
NEXT_DUE_SQL = f"""
select extract(epoch from j.due_at - now())::float8 as seconds from zixly.workflow_jobs j {OWNERS_GO_ON}
where j.status = 'QUEUED' and j.batch_id is null and j.blocked_by is null and j.system = %(system)s
  and (j.connection_id <> all(%(gated)s) or not w.needs_source)
order by j.due_at limit 1"""
# How soon to look again while an account is given its jobs one by one.
GATED_LOOK_SECONDS = 0.5

TAKE_BACK_SQL = """
with ended as (
  update zixly.batches set ended_at = now() where id = %s and run_id is null and ended_at is null returning id
)
update zixly.workflow_jobs j set batch_id = null, handed_over_at = null from ended where j.batch_id = ended.id and j.status = 'QUEUED'"""

# The name of the histogram of batches' sizes, by the bounds of its buckets: rows with other bounds would be added to the wrong ones.
BATCH_JOBS = "batch_jobs_2"

KNOWN_SQL = "select id from zixly.workflow_jobs where id = any(%s)"


@dataclass(frozen=True)
class HandoverLimits:
    """How much may be handed over: open batches and their jobs for each system and lane, and slots that one burst is spread over.

    Many small batches keep the workers busy in quiet times; in a burst the number of jobs bounds them, so that what is more
    urgent does not wait behind a long backlog. Live jobs of high priority may go beyond these bounds by an eighth: there is room for
    them however much is handed over.
    """

    max_open_batches: int
    slots: int
    max_batch: int
    max_open_jobs: int = 1280
    lanes: tuple[str, ...] = ("live", "bulk")

    @property
    def share_of_a_tenant(self) -> int:
        """So many due and open jobs are no backlog yet."""
        return ceil(self.max_open_jobs / 8)

    def kept_for_high(self, lane: str) -> Room:
        """What only jobs of high priority may have open, beside the rest."""
        return Room(ceil(self.max_open_batches / 8), ceil(self.max_open_jobs / 8)) if lane == "live" else Room(0, 0)


def hand_over(database: Database, *, system: str, limits: HandoverLimits) -> list[Batch]:
    """Write batches for what is due, and return them. Empty when nothing is due, everything is in hand, the system is paused, or
    another dispatcher of this system is at work. Raises `StoreUnavailable`."""
    with database.transaction() as connection:
        if not one(connection, LOCK_SQL, (system,))["mine"] or is_paused(connection, system):
            return []
        taken = open_batches(connection, system=system)
        room = room_by_lane(taken, limits=limits)
        at_most = max(free.jobs + limits.kept_for_high(lane).jobs for lane, free in room.items())
        gates = let_through(connection, system=system, at_most=max(at_most, 0))
        connection.execute(RESUME_SQL, {"system": system, "gated": list(gates.accounts)})
        lanes = [lane for lane, free in room.items() if free.is_some]
        for_high = [lane for lane, free in room.items() if free.plus(limits.kept_for_high(lane)).is_some]
        if not for_high:
            return []
        due = due_jobs(connection, gates, system=system, lanes=lanes, for_high=for_high, per_tenant=at_most, max_batch=limits.max_batch)
        backlogs = backlogs_of(connection, due, taken, share=limits.share_of_a_tenant, slots=limits.slots)
        slots = slots_among(due, taken, read=at_most, slots=limits.slots)
        batches = [
            batch
            for lane in for_high
            for batch in batches_of(
                [job for job in due if job.lane == lane],
                system=system,
                room=room[lane],
                kept_for_high=limits.kept_for_high(lane),
                backlogs=backlogs if lane == "live" else NO_BACKLOGS,
                slots=slots if lane == "live" else Slots(1),  # bulk work is held up by the vendors' limits: full batches cost fewest calls
            )
        ]
        write_batches(connection, batches)
    return batches


def is_paused(connection: Rows, system: str) -> bool:
    return connection.execute(PAUSED_SQL, (system,)).fetchone() is not None


def due_in_seconds(database: Database, *, system: str) -> float | None:
    """How long until the next job is due that may be handed over; 0 for one that is due already, None when no such job waits."""
    with database.transaction() as connection:
        if is_paused(connection, system):
            return None
        gated = [gate.connection_id for gate in open_gates(connection)]
        connection.execute(BY_INDEX_SQL)
        row = connection.execute(NEXT_DUE_SQL, {"system": system, "gated": gated}).fetchone()
    seconds = None if row is None else max(float(row["seconds"]), 0.0)
    return min(seconds or GATED_LOOK_SECONDS, GATED_LOOK_SECONDS) if gated and seconds != 0 else seconds


def announced(database: Database, job_ids: list[UUID]) -> set[UUID]:
    """Those of the ids that are jobs."""
    with database.transaction() as connection:
        return {row["id"] for row in connection.execute(KNOWN_SQL, (job_ids,))}


def take_back(database: Database, batch_id: UUID) -> int:
    """Undo the handing over of a batch whose run could not be launched; how many jobs are due again. A batch that a run has
    claimed is left alone."""
    with database.transaction() as connection:
        return connection.execute(TAKE_BACK_SQL, (batch_id,)).rowcount


def room_by_lane(taken: Sequence[OpenBatches], *, limits: HandoverLimits) -> dict[str, Room]:
    """How much more each lane may have open. What is not handed over waits where priority still reorders it."""
    return {
        lane: Room(
            batches=limits.max_open_batches - sum(one.batches for one in taken if one.lane == lane),
            jobs=limits.max_open_jobs - sum(one.jobs for one in taken if one.lane == lane),
        )
        for lane in limits.lanes
    }


def due_jobs(
    connection: Rows, gates: Gates, *, system: str, lanes: list[str], for_high: list[str], per_tenant: int, max_batch: int
) -> list[DueJob]:
    values = {
        "system": system,
        "lanes": lanes,
        "lanes_for_high": for_high,
        "lowest": LOWEST if lanes else HIGH,
        "gated": list(gates.accounts),
        "released": list(gates.released),
        "per_tenant": per_tenant,
        "max_batch": max_batch,
    }
    connection.execute(BY_INDEX_SQL)
    return [DueJob(**row) for row in connection.execute(DUE_SQL, values)]


def write_batches(connection: Rows, batches: list[Batch]) -> None:
    if not batches:
        return
    rows = [
        (one.id, one.tenant_id, one.connection_id, one.workflow, one.system, one.lane, one.priority, len(one.job_ids)) for one in batches
    ]
    members = [(job_id, batch.id) for batch in batches for job_id in batch.job_ids]
    connection.execute(NEW_BATCHES_SQL, packed_rows(BATCH_COLUMNS, rows))
    connection.execute(JOIN_BATCH_SQL, packed_rows(MEMBER_COLUMNS, members))
    count_batches(connection, batches)


def count_batches(connection: Rows, batches: list[Batch]) -> None:
    """In the order of the key, as all writers do."""
    for workflow, lane in sorted({(one.workflow, one.lane) for one in batches}):
        sizes = [len(one.job_ids) for one in batches if (one.workflow, one.lane) == (workflow, lane)]
        shard = os.getpid() % COUNTER_SHARDS
        add_values(connection, BATCH_JOBS, job_type=workflow, status=lane, shard=shard, values=sizes, bounds=metrics.BATCH_JOBS.buckets)


def one(connection: Rows, query: str, parameters: tuple[Any, ...]) -> dict[str, Any]:
    """The only row of a query that always has one."""
    row = connection.execute(query, parameters).fetchone()
    if row is None:
        raise AssertionError(f"a query that always gives a row gave none: {query[:60]}")
    return row
