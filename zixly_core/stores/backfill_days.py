"""The days of backfills, as the runs that read them take, advance and end them, and as the sensor finds what is due.

A day in a run's hands has a lease and the run's id; what a run writes after another one took the day matches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from zixly_core.stores.backfills import ADD_DAYS_SQL, ADD_SQL, NewBackfill
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.rows import columns_of, rows_from

LEASE = timedelta(minutes=2)
# So many days of one backfill are launched at once, and so many of all together; Dagster's queue lets two of a tenant run.
DAYS_AT_ONCE = 6
DAYS_OF_ALL = 12
# No further day is read while so many jobs of the backfill wait: their records would be old when their turn comes, and a backfill
# that is stopped leaves less behind.
MOST_OPEN_JOBS = 2_000

TAKE_SQL = """
update zixly.backfill_days d set state = 'RUNNING', run_id = %(run)s, tries = tries + 1, lease_until = now() + %(lease)s, error = null
from zixly.backfills b join zixly.workflows w on w.name = b.workflow
where d.backfill_id = %(id)s and d.day = %(day)s and b.id = d.backfill_id and b.status <> 'STOPPED'
  and (d.state in ('WAITING', 'FAILED') or (d.state = 'RUNNING' and (d.lease_until < now() or d.run_id = %(run)s)))
returning d.backfill_id, d.day, d.tenant_id, b.connection_id, b.workflow, b.system, b.time_zone, b.is_dry_run, w.priority, w.record_form,
          d.run_id, d.tries, d.reached, d.reached_ids"""
BEGUN_SQL = "update zixly.backfills set status = 'RUNNING', ended_at = null where id = %s and status <> 'STOPPED'"
ANEW_SQL = """
update zixly.backfill_days set records_found = 0, records_known = 0, jobs_made = 0, reached = null, reached_ids = '{}'
where backfill_id = %s and day = %s and run_id = %s"""
HELD_SQL = """
update zixly.backfill_days set lease_until = now() + %s
where backfill_id = %s and day = %s and run_id = %s and state = 'RUNNING' returning jobs_made"""
ADVANCE_SQL = """
update zixly.backfill_days set records_found = records_found + %s, records_known = records_known + %s, jobs_made = jobs_made + %s,
  reached = %s, reached_ids = %s
where backfill_id = %s and day = %s"""
END_SQL = """
update zixly.backfill_days set state = %s, error = %s, due_at = now() + %s, lease_until = null,
  ended_at = case when %s then now() end
where backfill_id = %s and day = %s and run_id = %s and state = 'RUNNING'"""

# What is known of records already: the workflow acted on this version or a newer one, or a job that read them later is completed.
# The jobs of a record are found by its key; `coalesce` keeps the planner from reading all completed jobs of the tenant instead.
KNOWN_SQL = f"""
select t.record_key, t.changed_at from {rows_from("record_key text, changed_at timestamptz")}
where exists (select from zixly.record_states s where s.tenant_id = %s and s.workflow = %s and s.role = 'source'
              and s.record_key = t.record_key and s.version >= t.changed_at)
   or exists (select from zixly.workflow_jobs j where j.tenant_id = %s and j.record_key = t.record_key
              and coalesce(j.workflow_type, '') = %s and coalesce(j.status, '') = 'COMPLETED' and j.started_at > t.changed_at)"""
MADE_SQL = "select id from zixly.workflow_jobs where id = any(%s)"

FROM_DAGSTER_SQL = f"""{ADD_SQL}
on conflict (id) do update set first_day = least(backfills.first_day, excluded.first_day),
  last_day = greatest(backfills.last_day, excluded.last_day)"""

DUE_SQL = """
select b.id, b.tenant_id, b.workflow, t.slug, due.day, due.tries
from zixly.backfills b join zixly.tenants t on t.id = b.tenant_id and t.paused_at is null
cross join lateral (
  select day, tries from zixly.backfill_days d
  where d.backfill_id = b.id and ((d.state = 'WAITING' and d.due_at <= now()) or (d.state = 'RUNNING' and d.lease_until < now()))
  order by day
  limit greatest(0, %(at_once)s - (select count(*) from zixly.backfill_days r
                                   where r.backfill_id = b.id and r.state = 'RUNNING' and r.lease_until >= now()))
) due
where b.status in ('WANTED', 'RUNNING')
  and (select count(*) from (select from zixly.workflow_jobs j where j.made_by = b.id and j.status in ('QUEUED', 'RUNNING')
                             limit %(open)s) o) < %(open)s
order by b.created_at, due.day limit %(all)s"""
SETTLE_SQL = """
update zixly.backfills b set ended_at = now(),
  status = case when exists (select from zixly.backfill_days d where d.backfill_id = b.id and d.state = 'FAILED') then 'FAILED'
                else 'DONE' end,
  (jobs_completed, jobs_failed, jobs_cancelled) = (
    select count(*) filter (where status = 'COMPLETED'), count(*) filter (where status = 'FAILED'),
           count(*) filter (where status = 'CANCELLED')
    from zixly.workflow_jobs j where j.made_by = b.id)
where b.status in ('WANTED', 'RUNNING')
  and not exists (select from zixly.backfill_days d where d.backfill_id = b.id and d.state in ('WAITING', 'RUNNING'))
  and not exists (select from zixly.workflow_jobs j where j.made_by = b.id and j.status in ('QUEUED', 'RUNNING'))"""


@dataclass(frozen=True)
class TakenDay:
    """A day of a backfill in a run's hands. `reached` is how far an earlier try came, with the records of that moment."""

    backfill_id: UUID
    day: date
    tenant_id: UUID
    connection_id: UUID
    workflow: str
    system: str
    time_zone: str
    is_dry_run: bool
    priority: int
    record_form: str
    run_id: str
    tries: int
    reached: datetime | None
    reached_ids: Sequence[str]


@dataclass(frozen=True)
class Advance:
    """What a page of records added to a day, and how far the reading came."""

    found: int
    known: int
    made: int
    reached: datetime | None
    reached_ids: Sequence[str] = ()


def add_from_dagster(database: Database, new: NewBackfill) -> None:
    """A day that a person launched in the Dagster UI belongs to a backfill too; all days of one launch to the same one."""
    with database.transaction(tenant_id=new.tenant_id) as connection:
        connection.execute(FROM_DAGSTER_SQL, vars(new))
        connection.execute(ADD_DAYS_SQL, columns_of([(new.id, new.first_day, new.tenant_id)]))


def take_day(database: Database, *, tenant_id: UUID, backfill_id: UUID, day: date, run_id: str) -> TakenDay | None:
    """Take a day; None when it is read already, stopped, or in another run's hands."""
    with database.transaction(tenant_id=tenant_id) as connection:
        row = connection.execute(TAKE_SQL, {"id": backfill_id, "day": day, "run": run_id, "lease": LEASE}).fetchone()
        if row is None:
            return None
        connection.execute(BEGUN_SQL, (backfill_id,))
    return TakenDay(**row)


def begin_anew(database: Database, taken: TakenDay) -> None:
    """Forget how far an earlier try came: for sources that do not tell the oldest change first."""
    with database.transaction(tenant_id=taken.tenant_id) as connection:
        connection.execute(ANEW_SQL, (taken.backfill_id, taken.day, taken.run_id))


def held(connection: Rows, taken: TakenDay) -> int | None:
    """Prolong the lease; how many jobs the day made so far, None when the day is not this run's any more, or stopped."""
    row = connection.execute(HELD_SQL, (LEASE, taken.backfill_id, taken.day, taken.run_id)).fetchone()
    return int(row["jobs_made"]) if row else None


def known_records(connection: Rows, taken: TakenDay, records: Sequence[tuple[str, datetime]]) -> set[tuple[str, datetime]]:
    """Those of these record keys of which nothing newer is to be told."""
    if not records:
        return set()
    values = (*columns_of(list(records)), taken.tenant_id, taken.workflow, taken.tenant_id, taken.workflow)
    return {(row["record_key"], row["changed_at"]) for row in connection.execute(KNOWN_SQL, values)}


def made_before(connection: Rows, job_ids: Sequence[UUID]) -> set[UUID]:
    return {row["id"] for row in connection.execute(MADE_SQL, (list(job_ids),))}


def advance(connection: Rows, taken: TakenDay, by: Advance) -> None:
    """Note what a page came to, in the transaction that makes its jobs."""
    values = (by.found, by.known, by.made, by.reached, list(by.reached_ids), taken.backfill_id, taken.day)
    connection.execute(ADVANCE_SQL, values)


def end_day(database: Database, taken: TakenDay, state: str, *, error: str | None = None, due_in: timedelta = timedelta()) -> None:
    """DONE, FAILED with the reason, or WAITING for another try."""
    with database.transaction(tenant_id=taken.tenant_id) as connection:
        values = (state, error, due_in, state != "WAITING", taken.backfill_id, taken.day, taken.run_id)
        connection.execute(END_SQL, values)


def due_days(database: Database) -> list[Mapping[str, Any]]:
    """Days to be read now, a few at a time, as role `dispatch`: `id` of the backfill, `tenant_id`, `slug`, `workflow`, `day`, `tries`."""
    with database.transaction() as connection:
        return list(connection.execute(DUE_SQL, {"at_once": DAYS_AT_ONCE, "all": DAYS_OF_ALL, "open": MOST_OPEN_JOBS}))


def settle_backfills(database: Database) -> int:
    """Note which backfills came to their end, as role `dispatch`; how many."""
    with database.transaction() as connection:
        return connection.execute(SETTLE_SQL).rowcount


def tenant_slugs(database: Database) -> dict[str, UUID]:
    """All tenants, as role `dispatch`."""
    with database.transaction() as connection:
        return {row["slug"]: row["id"] for row in connection.execute("select id, slug from zixly.tenants order by slug")}


def tenants_with(database: Database, system: str) -> dict[str, UUID]:
    """The tenants that have an account at a system, as role `dispatch`."""
    query = """
      select t.id, t.slug from zixly.tenants t
      where exists (select from zixly.connections c where c.tenant_id = t.id and c.system = %s) order by t.slug"""
    with database.transaction() as connection:
        return {row["slug"]: row["id"] for row in connection.execute(query, (system,))}
