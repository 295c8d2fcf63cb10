"""Hand due jobs over: one query finds them, one transaction writes the batches that runs will work on.

Due time, priority, fairness between tenants, order per record, pauses and parking are all here, in SQL over the rows, and so
are the same on every queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from zixly_core.batching import Batch, DueJob, batches_of
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.rows import columns_of, rows_from
from zixly_core.stores.waiting import IS_WAITING, WAKE

# One writer at a time for each system: two dispatchers must not put two jobs of one record into two hands.
LOCK_SQL = "select pg_try_advisory_xact_lock(hashtext('zixly.dispatch'), hashtext(%s)) as mine"

# What may go on: jobs whose callback came, and jobs that a connection held up which is well again, each in its old place.
RESUME_SQL = f"""
with woken as (
  update zixly.workflow_jobs set {WAKE} where system = %(system)s and wake_event_id is not null and {IS_WAITING} returning id
), freed as (
  update zixly.workflow_jobs j set blocked_by = null from zixly.connections c
  where j.system = %(system)s and j.status = 'QUEUED' and j.batch_id is null and j.blocked_by is not null and c.id = j.blocked_by
    and c.status = 'ACTIVE' and c.paused_at is null and (c.parked_until is null or c.parked_until <= now())
  returning j.id
)
select (select count(*) from woken) as woken, (select count(*) from freed) as freed"""

OPEN_BATCHES_SQL = """
select lane, count(*) as batches, sum(job_count) as jobs from zixly.batches where system = %s and ended_at is null group by lane"""

# Tenants with waiting jobs by a loose index scan: one probe each, however many jobs they have. The jobs of each in the order of
# the index jobs_due. Left out: paused or parked owners, jobs that another connection blocks, and records that some run has in
# hand or that a job waits about. Of the jobs that took two workers with them one is in hand at a time.
DUE_SQL = """
with recursive waiting as (
  (select tenant_id from zixly.workflow_jobs where system = %(system)s and status = 'QUEUED' and batch_id is null
   order by tenant_id limit 1)
  union all
  select (select tenant_id from zixly.workflow_jobs j where j.system = %(system)s and j.status = 'QUEUED' and j.batch_id is null
          and j.tenant_id > w.tenant_id order by j.tenant_id limit 1)
  from waiting w where w.tenant_id is not null
)
select due.* from waiting
join zixly.tenants t on t.id = waiting.tenant_id and t.paused_at is null
cross join lateral (
  select j.id, j.tenant_id, j.connection_id, j.workflow_type as workflow, least(w.max_batch, %(max_batch)s) as max_batch, j.lane,
         j.priority, j.record_key, j.due_at, j.lost_attempts
  from zixly.workflow_jobs j
  join zixly.workflows w on w.name = j.workflow_type and w.paused_at is null
  join zixly.connections c on c.id = j.connection_id and c.paused_at is null
       and (not w.needs_source or (c.status = 'ACTIVE' and (c.parked_until is null or c.parked_until <= now())))
  where j.system = %(system)s and j.tenant_id = t.id and j.status = 'QUEUED' and j.batch_id is null and j.due_at <= now()
    and j.blocked_by is null and j.lane = any(%(lanes)s)
    and not exists (select from zixly.workflow_jobs o where o.tenant_id = j.tenant_id and o.record_key = j.record_key
                    and o.status in ('QUEUED', 'RUNNING') and o.batch_id is not null)
    and not exists (select from zixly.workflow_jobs o where o.tenant_id = j.tenant_id and o.record_key = j.record_key
                    and o.waiting_until is not null and o.status = 'RUNNING')
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

JOIN_BATCH_SQL = f"""
update zixly.workflow_jobs j set batch_id = t.batch_id, handed_over_at = now(), parked_reason = null
from {rows_from("job_id uuid, batch_id uuid")} where j.id = t.job_id and j.status = 'QUEUED' and j.batch_id is null"""

# Jobs whose owner is paused, parked or disconnected are due for as long as that takes; they are no reason to look all the time.
NEXT_DUE_SQL = """
select extract(epoch from j.due_at - now())::float8 as seconds from zixly.workflow_jobs j
join zixly.tenants t on t.id = j.tenant_id and t.paused_at is null
join zixly.workflows w on w.name = j.workflow_type and w.paused_at is null
join zixly.connections c on c.id = j.connection_id and c.paused_at is null
     and (not w.needs_source or (c.status = 'ACTIVE' and (c.parked_until is null or c.parked_until <= now())))
where j.status = 'QUEUED' and j.batch_id is null and j.blocked_by is null and j.system = %s
order by j.due_at limit 1"""

TAKE_BACK_SQL = """
with ended as (
  update zixly.batches set ended_at = now() where id = %s and run_id is null and ended_at is null returning id
)
update zixly.workflow_jobs j set batch_id = null, handed_over_at = null from ended where j.batch_id = ended.id and j.status = 'QUEUED'"""

KNOWN_SQL = "select id from zixly.workflow_jobs where id = any(%s)"


@dataclass(frozen=True)
class HandoverLimits:
    """How much may be handed over: open batches and their jobs for each system and lane, and slots that one burst is spread over.

    Many small batches keep the workers busy in quiet times; in a burst the number of jobs bounds them, so that what is more
    urgent does not wait behind a long backlog.
    """

    max_open_batches: int
    slots: int
    max_batch: int
    max_open_jobs: int = 640
    lanes: tuple[str, ...] = ("live", "bulk")


@dataclass(frozen=True)
class Room:
    """How many more batches, and jobs in them, may be open."""

    batches: int
    jobs: int


def hand_over(database: Database, *, system: str, limits: HandoverLimits) -> list[Batch]:
    """Write batches for what is due, and return them. Empty when nothing is due, everything is in hand, or another
    dispatcher of this system is at work. Raises `StoreUnavailable`."""
    with database.transaction() as connection:
        if not one(connection, LOCK_SQL, (system,))["mine"]:
            return []
        connection.execute(RESUME_SQL, {"system": system})
        room = room_by_lane(connection, system=system, limits=limits)
        lanes = [lane for lane, free in room.items() if free.batches > 0 and free.jobs > 0]
        if not lanes:
            return []
        per_tenant = max(room[lane].jobs for lane in lanes)
        due = due_jobs(connection, system=system, lanes=lanes, per_tenant=per_tenant, max_batch=limits.max_batch)
        batches = [
            batch
            for lane in lanes
            for batch in batches_of(
                [job for job in due if job.lane == lane],
                system=system,
                capacity=room[lane].batches,
                slots=limits.slots if lane == "live" else 1,  # bulk work is held up by the vendors' limits: full batches cost fewest calls
                max_jobs=room[lane].jobs,
            )
        ]
        write_batches(connection, batches)
    return batches


def due_in_seconds(database: Database, *, system: str) -> float | None:
    """How long until the next job is due that may be handed over; 0 for one that is due already, None when no such job waits."""
    with database.transaction() as connection:
        row = connection.execute(NEXT_DUE_SQL, (system,)).fetchone()
    return None if row is None else max(float(row["seconds"]), 0.0)


def announced(database: Database, job_ids: list[UUID]) -> set[UUID]:
    """Those of the ids that are jobs."""
    with database.transaction() as connection:
        return {row["id"] for row in connection.execute(KNOWN_SQL, (job_ids,))}


def take_back(database: Database, batch_id: UUID) -> int:
    """Undo the handing over of a batch whose run could not be launched; how many jobs are due again. A batch that a run has
    claimed is left alone."""
    with database.transaction() as connection:
        return connection.execute(TAKE_BACK_SQL, (batch_id,)).rowcount


def room_by_lane(connection: Rows, *, system: str, limits: HandoverLimits) -> dict[str, Room]:
    """How much more each lane may have open. What is not handed over waits where priority still reorders it."""
    taken = {row["lane"]: row for row in connection.execute(OPEN_BATCHES_SQL, (system,))}
    nothing = {"batches": 0, "jobs": 0}
    return {
        lane: Room(
            batches=limits.max_open_batches - taken.get(lane, nothing)["batches"],
            jobs=limits.max_open_jobs - int(taken.get(lane, nothing)["jobs"]),
        )
        for lane in limits.lanes
    }


def due_jobs(connection: Rows, *, system: str, lanes: list[str], per_tenant: int, max_batch: int) -> list[DueJob]:
    rows = connection.execute(DUE_SQL, {"system": system, "lanes": lanes, "per_tenant": per_tenant, "max_batch": max_batch})
    return [DueJob(**row) for row in rows]


def write_batches(connection: Rows, batches: list[Batch]) -> None:
    if not batches:
        return
    rows = [
        (one.id, one.tenant_id, one.connection_id, one.workflow, one.system, one.lane, one.priority, len(one.job_ids)) for one in batches
    ]
    members = [(job_id, batch.id) for batch in batches for job_id in batch.job_ids]
    connection.execute(NEW_BATCHES_SQL, columns_of(rows))
    connection.execute(JOIN_BATCH_SQL, columns_of(members))


def one(connection: Rows, query: str, parameters: tuple[Any, ...]) -> dict[str, Any]:
    """The only row of a query that always has one."""
    row = connection.execute(query, parameters).fetchone()
    if row is None:
        raise AssertionError(f"a query that always gives a row gave none: {query[:60]}")
    return row
