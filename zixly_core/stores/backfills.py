"""Backfills as people ask for them, watch them and stop them; as role `api`, within what its scope may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from zixly_core.stores.audit import note
from zixly_core.stores.cancel import CANCEL_SQL, count_cancelled
from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page
from zixly_core.stores.rows import columns_of

ADD_SQL = """
insert into zixly.backfills (id, tenant_id, connection_id, workflow, system, first_day, last_day, time_zone, is_dry_run, actor, launched_by)
values (%(id)s, %(tenant_id)s, %(connection_id)s, %(workflow)s, %(system)s, %(first_day)s, %(last_day)s, %(time_zone)s, %(is_dry_run)s,
        %(actor)s, %(launched_by)s)"""
ADD_DAYS_SQL = """
insert into zixly.backfill_days (backfill_id, day, tenant_id) select * from unnest(%s::uuid[], %s::date[], %s::uuid[])
on conflict (backfill_id, day) do nothing"""
ZONE_SQL = "select time_zone from zixly.tenants where id = %s"

VIEW_SQL = """
select b.id, b.tenant_id, t.slug as tenant, b.connection_id, b.workflow, b.first_day, b.last_day, b.time_zone, b.is_dry_run, b.status,
       b.actor, b.launched_by, b.created_at, b.ended_at, b.jobs_completed, b.jobs_failed, b.jobs_cancelled, d.*,
       (select count(*) from zixly.workflow_jobs j where j.made_by = b.id and j.status in ('QUEUED', 'RUNNING')) as jobs_open
from zixly.backfills b join zixly.tenants t on t.id = b.tenant_id
cross join lateral (
  select count(*) as days, count(*) filter (where state = 'DONE') as days_done, count(*) filter (where state = 'FAILED') as days_failed,
         coalesce(sum(records_found), 0) as records_found, coalesce(sum(records_known), 0) as records_known,
         coalesce(sum(jobs_made), 0) as jobs_made
  from zixly.backfill_days d where d.backfill_id = b.id
) d
where (%(id)s::uuid is null or b.id = %(id)s) and (%(tenant)s::text is null or t.slug = %(tenant)s)
  and (%(status)s::text is null or b.status = %(status)s)
  and (%(age)s::timestamptz is null or (b.created_at, b.id) < (%(age)s, %(after)s::uuid))
order by b.created_at desc, b.id desc limit %(limit)s"""
DAYS_SQL = """
select day, state, records_found, records_known, jobs_made, tries, run_id, error, ended_at,
       case when state = 'WAITING' and due_at > now() then due_at end as due_at
from zixly.backfill_days where backfill_id = %s order by day"""
# How fast it goes: what ended within the last minutes, and since when the clock of that runs.
PACE_SQL = """
select count(*) filter (where status = 'COMPLETED') as completed, count(*) filter (where status = 'FAILED') as failed,
       count(*) filter (where status = 'CANCELLED') as cancelled,
       count(*) filter (where completed_at > now() - %(span)s::interval) as ended_lately,
       extract(epoch from least(%(span)s::interval, now() - min(created_at)))::float8 as lately_seconds,
       mode() within group (order by parked_reason) filter (where status = 'QUEUED' and due_at > now()) as waits_for
from zixly.workflow_jobs where made_by = %(id)s"""
EXAMPLES_SQL = """
select id, record_key, record_id, status, result, error_message
from zixly.workflow_jobs where made_by = %s order by occurred_at, id limit %s"""
STOP_SQL = """
update zixly.backfills set status = 'STOPPED', ended_at = now() where id = %s and status in ('WANTED', 'RUNNING') returning tenant_id"""
STOP_DAYS_SQL = """
update zixly.backfill_days set state = 'STOPPED', ended_at = now(), lease_until = null
where backfill_id = %s and state in ('WAITING', 'RUNNING')"""
# Vendors' limits are by the minute: a shorter look would see now a burst and now a pause.
LATELY = timedelta(minutes=3)
STOPPABLE = "made_by = %s and status = 'QUEUED' and batch_id is null"


@dataclass(frozen=True)
class BackfillFilter:
    """Which backfills are wanted; None leaves a question open. `tenant` is a slug."""

    tenant: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class NewBackfill:
    """A backfill that is to be; its days are those of the time zone, both ends included. `launched_by` is the Dagster backfill or run
    that a person launched, None where our sensor launches the runs."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    workflow: str
    system: str
    first_day: date
    last_day: date
    time_zone: str
    is_dry_run: bool
    actor: str
    launched_by: str | None = None


def add_backfill(connection: Rows, new: NewBackfill, days: Sequence[date]) -> None:
    """Write it with its days, and who asked for it."""
    connection.execute(ADD_SQL, vars(new))
    connection.execute(ADD_DAYS_SQL, columns_of([(new.id, day, new.tenant_id) for day in days]))
    details = {"workflow": new.workflow, "from": str(new.first_day), "to": str(new.last_day), "dry_run": new.is_dry_run}
    note(connection, actor=new.actor, action="backfill.make", subject=new.id, tenant_id=new.tenant_id, details=details)


def zone_name_of(connection: Rows, tenant_id: UUID) -> str:
    row = connection.execute(ZONE_SQL, (tenant_id,)).fetchone()
    return str(row["time_zone"]) if row else "UTC"


def backfills_page(connection: Rows, wanted: BackfillFilter, *, page: Page) -> list[dict[str, Any]]:
    """Backfills with the sums of their days, newest first."""
    age, after = page.after or (None, None)
    values = {"id": None, **asdict(wanted), "age": age, "after": after, "limit": page.limit}
    return list(connection.execute(VIEW_SQL, values))


def backfill_detail(connection: Rows, backfill_id: UUID, *, examples: int, span: timedelta = LATELY) -> dict[str, Any] | None:
    """One with its days, what became of its jobs, how fast it goes and, of a dry run, its first jobs. None where the scope shows no
    such backfill."""
    values = {"id": backfill_id, "tenant": None, "status": None, "age": None, "after": None, "limit": 1}
    row = connection.execute(VIEW_SQL, values).fetchone()
    if row is None:
        return None
    pace: Mapping[str, Any] = connection.execute(PACE_SQL, {"id": backfill_id, "span": span}).fetchone() or {}
    if row["status"] not in {"DONE", "FAILED"}:
        row |= {f"jobs_{end}": pace[end] for end in ("completed", "failed", "cancelled")}
    row |= {name: pace[name] for name in ("ended_lately", "lately_seconds", "waits_for")}
    row["days_log"] = list(connection.execute(DAYS_SQL, (backfill_id,)))
    row["examples"] = list(connection.execute(EXAMPLES_SQL, (backfill_id, examples))) if row["is_dry_run"] else []
    return row


def stop_backfill(connection: Rows, backfill_id: UUID, *, actor: str) -> int | None:
    """No day is read any more, and jobs that nobody has in hand are cancelled: how many. None when it is not under way."""
    row = connection.execute(STOP_SQL, (backfill_id,)).fetchone()
    if row is None:
        return None
    connection.execute(STOP_DAYS_SQL, (backfill_id,))
    cancelled = list(connection.execute(CANCEL_SQL.format(chosen=STOPPABLE), (backfill_id,)))
    count_cancelled(connection, cancelled)
    details = {"jobs_cancelled": len(cancelled)}
    note(connection, actor=actor, action="backfill.stop", subject=backfill_id, tenant_id=row["tenant_id"], details=details)
    return len(cancelled)
