"""What is too old is deleted, a few hundred rows at a time, the oldest first; as role `retention`.

What the ledger counted in the deleted rows is added to `deleted_counts` in the same transaction. Audit log and counters stay. Whatever is
still open stays, however old; so does what it came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from zixly_core.stores.database import Database

OLD_JOBS_SQL = """
select id, tenant_id from zixly.workflow_jobs
where created_at < now() - make_interval(years => %(years)s) and completed_at < now() - make_interval(years => %(years)s)
  and status in ('COMPLETED', 'FAILED', 'CANCELLED')
order by created_at limit %(limit)s"""

COUNTED_SQL = """
insert into zixly.deleted_counts (day, tenant_id, system, kind, outcome, count)
select (at at time zone 'UTC')::date, tenant_id, system, '{kind}', outcome, count(*) from gone group by 1, 2, 3, 5
on conflict (day, tenant_id, system, kind, outcome) do update set count = deleted_counts.count + excluded.count"""

DELETE_JOBS_SQL = f"""
with effects as (
  delete from zixly.effects e using zixly.workflow_jobs j
  where j.id = any(%(ids)s) and e.tenant_id = j.tenant_id and e.job_id = j.id
), gone as (
  delete from zixly.workflow_jobs where id = any(%(ids)s) and status in ('COMPLETED', 'FAILED', 'CANCELLED')
  returning tenant_id, system, created_at as at, lower(status) as outcome
), counted as ({COUNTED_SQL.format(kind="job")})
select count(*) as jobs from gone"""

# Deliveries whose events have no jobs any more, and those events.
DELETE_DELIVERIES_SQL = f"""
with old as (
  select d.id from zixly.deliveries d
  where d.received_at < now() - make_interval(years => %(years)s)
    and not exists (select from zixly.events e join zixly.workflow_jobs j on j.event_id = e.id where e.delivery_id = d.id)
    and not exists (select from zixly.events e join zixly.workflow_jobs j on j.wake_event_id = e.id where e.delivery_id = d.id)
  order by d.received_at limit %(limit)s for update skip locked
), gone as (
  delete from zixly.events e using old where e.delivery_id = old.id returning e.tenant_id, e.system, e.received_at as at, e.outcome
), counted as ({COUNTED_SQL.format(kind="event")}
), emptied as (delete from zixly.deliveries d using old where d.id = old.id returning d.id)
select (select count(*) from gone) as events, (select count(*) from emptied) as deliveries"""

OLD_BATCHES_SQL = """
select b.id, b.tenant_id from zixly.batches b
where b.created_at < now() - make_interval(years => %(years)s) and not exists (select from zixly.workflow_jobs j where j.batch_id = b.id)
order by b.created_at limit %(limit)s"""
DELETE_BATCHES_SQL = "delete from zixly.batches where id = any(%(ids)s)"

# Archives on which no row relies any more; `remove_left_behind` deletes their objects.
LEAVE_ARCHIVES_SQL = """
update zixly.payload_archives a set state = 'LEFT'
where a.state = 'KEPT' and a.day <= (now() - make_interval(years => %(years)s))::date
  and not exists (select from zixly.events e where e.archive_id = a.id)
  and not exists (select from zixly.deliveries d where d.archive_id = a.id)"""

# What has an age of its own and is needed for nothing else: table -> which rows are too old.
BY_AGE: Mapping[str, str] = {
    "record_states": "updated_at < now() - make_interval(years => %(years)s)",
    "issues": "status in ('RESOLVED', 'IGNORED') and last_seen_at < now() - make_interval(years => %(years)s)",
    "drifts": "found_at < now() - make_interval(years => %(years)s) and status not in ('OPEN', 'REPAIRING')",
    "holes": "found_at < now() - make_interval(years => %(years)s) and status = 'RECOVERED'",
    "subscription_checks": "at < now() - make_interval(years => %(years)s)",
    "notifications": "created_at < now() - make_interval(years => %(years)s)",
    "payload_searches": "created_at < now() - make_interval(years => %(years)s)",
    # These three by times of their own: who asks what became of a session or a sign-in asks soon, of a token within months.
    "sessions": "expires_at < now() - interval '1 day'",
    "sign_ins": "created_at < now() - interval '1 hour'",
    "machine_tokens": "least(revoked_at, expires_at) < now() - interval '90 days'",
    "dedupe_keys": "created_at < now() - make_interval(days => %(dedupe_days)s)",
}
DELETE_BY_AGE_SQL = "delete from zixly.{table} where ctid = any(array(select ctid from zixly.{table} where {condition} limit %(limit)s))"
COUNT_BY_AGE_SQL = "select count(*) as n from zixly.{table} where {condition}"

# A rejected request is verified again within days, or never; and not after repeats of it would not be known as such.
UNSEAL_SQL = """
update zixly.deliveries set sealed = null where id = any(array(
  select id from zixly.deliveries
  where sealed is not null and received_at < now() - make_interval(days => least(%(rejected_days)s, %(dedupe_days)s)) limit %(limit)s))"""
SEALED_SQL = """
select count(*) as n from zixly.deliveries
where sealed is not null and received_at < now() - make_interval(days => least(%(rejected_days)s, %(dedupe_days)s))"""

DUE_SQL = """
select (select count(*) from zixly.workflow_jobs where created_at < now() - make_interval(years => %(years)s)
          and completed_at < now() - make_interval(years => %(years)s) and status in ('COMPLETED', 'FAILED', 'CANCELLED')) as jobs,
       (select count(*) from zixly.deliveries where received_at < now() - make_interval(years => %(years)s)) as deliveries"""


@dataclass(frozen=True)
class Keep:
    """How long things are kept, and how many rows go at once."""

    years: int
    dedupe_days: int
    rejected_days: int
    rows: int = 500

    def parameters(self) -> dict[str, int]:
        return {"years": self.years, "dedupe_days": self.dedupe_days, "rejected_days": self.rejected_days, "limit": self.rows}


@dataclass(frozen=True)
class OldRow:
    """A job or a batch that is to go, and whose it is."""

    id: UUID
    tenant_id: UUID


def old_jobs(database: Database, keep: Keep) -> list[OldRow]:
    return old_rows(database, OLD_JOBS_SQL, keep)


def old_batches(database: Database, keep: Keep) -> list[OldRow]:
    return old_rows(database, OLD_BATCHES_SQL, keep)


def old_rows(database: Database, query: str, keep: Keep) -> list[OldRow]:
    with database.transaction() as connection:
        return [OldRow(row["id"], row["tenant_id"]) for row in connection.execute(query, keep.parameters())]


def delete_jobs(database: Database, rows: Sequence[OldRow]) -> int:
    """Delete jobs that have ended, with their attempts, related records and effects; how many."""
    with database.transaction() as connection:
        row = connection.execute(DELETE_JOBS_SQL, {"ids": [one.id for one in rows]}).fetchone()
    return row["jobs"] if row else 0


def delete_batches(database: Database, rows: Sequence[OldRow]) -> int:
    with database.transaction() as connection:
        return connection.execute(DELETE_BATCHES_SQL, {"ids": [one.id for one in rows]}).rowcount


def delete_deliveries(database: Database, keep: Keep) -> tuple[int, int]:
    """Delete old deliveries with their events: how many events and deliveries."""
    with database.transaction() as connection:
        row = connection.execute(DELETE_DELIVERIES_SQL, keep.parameters()).fetchone()
    return (row["events"], row["deliveries"]) if row else (0, 0)


def leave_archives(database: Database, keep: Keep) -> int:
    with database.transaction() as connection:
        return connection.execute(LEAVE_ARCHIVES_SQL, keep.parameters()).rowcount


def delete_by_age(database: Database, table: str, keep: Keep) -> int:
    with database.transaction() as connection:
        return connection.execute(DELETE_BY_AGE_SQL.format(table=table, condition=BY_AGE[table]), keep.parameters()).rowcount


def unseal_rejected(database: Database, keep: Keep) -> int:
    with database.transaction() as connection:
        return connection.execute(UNSEAL_SQL, keep.parameters()).rowcount


def due_counts(database: Database, keep: Keep) -> dict[str, int]:
    """How much is old enough to be deleted, by what it is."""
    counts: dict[str, int] = {}
    with database.transaction() as connection:
        counts.update(connection.execute(DUE_SQL, keep.parameters()).fetchone() or {})
        for table, condition in BY_AGE.items():
            row = connection.execute(COUNT_BY_AGE_SQL.format(table=table, condition=condition), keep.parameters()).fetchone()
            counts[table] = row["n"] if row else 0
        row = connection.execute(SEALED_SQL, keep.parameters()).fetchone()
        counts["rejected"] = row["n"] if row else 0
    return counts


OLD_EXPORTS_SQL = """
select id, tenant_id from zixly.tenant_exports
where status in ('READY', 'FETCHED', 'FAILED') and coalesce(fetched_at, ready_at, asked_at) < now() - case
  when status = 'READY' then %(ready)s::interval else '1 hour'::interval end"""
EXPORT_GONE_SQL = "update zixly.tenant_exports set status = 'GONE' where id = %s"
# An export that nobody fetched.
READY_FOR = timedelta(days=7)


def old_exports(database: Database) -> list[OldRow]:
    """Exports that were fetched, failed, or that nobody wanted."""
    with database.transaction() as connection:
        return [OldRow(row["id"], row["tenant_id"]) for row in connection.execute(OLD_EXPORTS_SQL, {"ready": READY_FOR})]


def note_export_gone(database: Database, export_id: UUID) -> None:
    with database.transaction() as connection:
        connection.execute(EXPORT_GONE_SQL, (export_id,))
