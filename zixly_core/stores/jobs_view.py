"""Jobs and deliveries as people look at them: lists a page at a time, and one with its whole story.

Row-level security decides what is seen: a scope is set for each transaction, and a tenant's scope shows that tenant's rows only.
Payloads, documents and secrets are no part of these views.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, func, select, tuple_
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from zixly_core.stores.database import Database, Rows
from zixly_core.tables import (
    deliveries,
    effects,
    events,
    job_attempts,
    tenants,
    workflow_jobs,
    workflow_related_records,
)

Row = dict[str, Any]
_dialect = PGDialect_psycopg()


REPLAYS_OF_JOB_SQL = """
select id, made_by as replay_id, status, created_at, coalesce(trigger_data ->> 'dry_run', '') = 'true' as dry_run from zixly.workflow_jobs
where origin_job_id = %s and origin = 'replay' order by created_at desc, id desc limit %s"""
SHOWN_REPLAYS = 20
# A page reads little, and expects more of a table with a million rows: helping processes, and statements that are compiled first, would
# take longer than the reading, and take it from those who receive.
SCOPE_SQL = """
select set_config('app.scope', %s, true), set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)"""

SUMMARY = [
    workflow_jobs.c[name]
    for name in (
        "id tenant_id workflow_type system status lane priority origin record_key record_id attempts occurred_at created_at due_at "
        "started_at completed_at run_id last_run_id parked_reason error_reason error_message dead_letter"
    ).split()
]
DETAIL = [
    workflow_jobs.c[name]
    for name in (
        "connection_id event_id batch_id origin_job_id made_by execution_log result metrics cancel_requested_at waiting_until waiting_for "
        "blocked_by lease_until handed_over_at first_op_at trace_id issue_id"
    ).split()
]
DELIVERY = [
    *(
        deliveries.c[name]
        for name in "id system path received_at verdict reason status body_sha256 event_count reverified_at accepted_as".split()
    ),
    func.coalesce(deliveries.c.trace_id, deliveries.c.id).label("trace_id"),
]


@dataclass(frozen=True)
class Scope:
    """Whose rows are seen: one tenant's, or everybody's (agency staff)."""

    tenant_id: UUID | None

    @property
    def is_staff(self) -> bool:
        return self.tenant_id is None


@dataclass(frozen=True)
class Page:
    """Where a page begins (after this row, newest first) and how long it is."""

    limit: int
    after: tuple[datetime, UUID] | None = None


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are wanted; None leaves a question open. `tenant` is a slug."""

    tenant: str | None = None
    workflow: str | None = None
    status: str | None = None
    record_key: str | None = None
    reason: str | None = None
    origin: str | None = None
    made_by: UUID | None = None
    system: str | None = None
    since: datetime | None = None
    """Made then or later."""
    until: datetime | None = None


@contextmanager
def scoped(database: Database, scope: Scope) -> Iterator[Rows]:
    """A transaction that sees what the scope allows, as role `api`. Raises `StoreUnavailable`."""
    with database.transaction(tenant_id=scope.tenant_id) as connection:
        connection.execute(SCOPE_SQL, ("all" if scope.is_staff else "tenant",))
        yield connection


def jobs_page(connection: Rows, *, wanted: JobFilter, page: Page) -> list[Row]:
    """Jobs, newest first. Their tenants' names are put in afterwards: a join would sort all jobs to find the newest few."""
    slugs = {row["id"]: row["slug"] for row in rows_of(connection, select(tenants.c.id, tenants.c.slug))}
    query = select(*SUMMARY)
    if wanted.tenant is not None:
        query = query.where(workflow_jobs.c.tenant_id.in_([one for one, slug in slugs.items() if slug == wanted.tenant]))
    for column, value in (
        (workflow_jobs.c.workflow_type, wanted.workflow),
        (workflow_jobs.c.status, wanted.status),
        (workflow_jobs.c.record_key, wanted.record_key),
        (workflow_jobs.c.error_reason, wanted.reason),
        (workflow_jobs.c.origin, wanted.origin),
        (workflow_jobs.c.made_by, wanted.made_by),
        (workflow_jobs.c.system, wanted.system),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(workflow_jobs.c.created_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(workflow_jobs.c.created_at < wanted.until)
    found = rows_of(connection, paged(query, workflow_jobs, "created_at", page))
    return [row | {"tenant": slugs[row["tenant_id"]]} for row in found]


def job_detail(connection: Rows, job_id: UUID) -> Row | None:
    """One job with its attempts, related records, effects, event and delivery; None when the scope shows no such job."""
    query = select(*SUMMARY, *DETAIL, tenants.c.slug.label("tenant")).join(tenants, tenants.c.id == workflow_jobs.c.tenant_id)
    found = rows_of(connection, query.where(workflow_jobs.c.id == job_id))
    if not found:
        return None
    job = found[0]
    job["trace_id"] = job["trace_id"] or job["id"]
    job["related_records"] = rows_of(connection, related_query(job_id))
    job["attempt_log"] = rows_of(connection, attempts_query(job_id))
    job["effects"] = rows_of(connection, effects_query(job_id))
    job["event"] = event_of(connection, job["event_id"])
    job["replay_id"] = job["made_by"] if job["origin"] == "replay" else None
    job["replays"] = list(connection.execute(REPLAYS_OF_JOB_SQL, (job_id, SHOWN_REPLAYS)))
    return job


def delivery_detail(connection: Rows, delivery_id: UUID, *, with_body: bool = False) -> Row | None:
    """One delivery with its events and their jobs; its body only when asked for."""
    columns = [*DELIVERY, deliveries.c.headers, *([deliveries.c.body] if with_body else [])]
    found = rows_of(connection, select(*columns).where(deliveries.c.id == delivery_id))
    if not found:
        return None
    delivery = found[0]
    delivery["events"] = rows_of(connection, events_query(delivery_id))
    jobs: dict[UUID, list[UUID]] = {}
    for row in rows_of(connection, jobs_of_events_query(delivery_id)):
        jobs.setdefault(row["event_id"], []).append(row["id"])
    for event in delivery["events"]:
        event["job_ids"] = jobs.get(event["id"], [])
    return delivery


def event_of(connection: Rows, event_id: UUID | None) -> Row | None:
    if event_id is None:
        return None
    columns = [events.c[name] for name in "id delivery_id kind record_key record_id occurred_at received_at".split()]
    found = rows_of(connection, select(*columns).where(events.c.id == event_id))
    return found[0] if found else None


def related_query(job_id: UUID) -> Select[Any]:
    table = workflow_related_records.c
    return (
        select(table.system, table.record_type, table.record_id, table.action, table.url, table.at)
        .where(table.job_id == job_id)
        .order_by(table.at, table.system, table.record_id)
    )


def attempts_query(job_id: UUID) -> Select[Any]:
    names = "attempt run_id outcome error_reason error_message started_at ended_at".split()
    return select(*(job_attempts.c[name] for name in names)).where(job_attempts.c.job_id == job_id).order_by(job_attempts.c.fence)


def effects_query(job_id: UUID) -> Select[Any]:
    names = "effect_key system operation target state source_version intended_at done_at".split()
    return select(*(effects.c[name] for name in names)).where(effects.c.job_id == job_id).order_by(effects.c.intended_at)


def events_query(delivery_id: UUID) -> Select[Any]:
    names = "id tenant_id kind external_id record_key record_id dedupe_key outcome duplicate_of occurred_at".split()
    return (
        select(*(events.c[name] for name in names)).where(events.c.delivery_id == delivery_id).order_by(events.c.occurred_at, events.c.id)
    )


def jobs_of_events_query(delivery_id: UUID) -> Select[Any]:
    """The jobs of a delivery's events, or of the earlier events that they repeat."""
    job = workflow_jobs.c
    return (
        select(events.c.id.label("event_id"), job.id)
        .join(workflow_jobs, job.event_id.in_((events.c.id, events.c.duplicate_of)))
        .where(events.c.delivery_id == delivery_id)
        .order_by(job.id)
    )


def paged(query: Select[Any], table: Table, age: str, page: Page) -> Select[Any]:
    """By age and id, so that the next page begins where this one ended whatever arrives meanwhile."""
    position = tuple_(table.c[age], table.c.id)
    if page.after is not None:
        query = query.where(position < tuple_(*page.after))
    return query.order_by(table.c[age].desc(), table.c.id.desc()).limit(page.limit)


def rows_of(connection: Rows, query: Select[Any]) -> list[Row]:
    """Run a query that SQLAlchemy built on a connection of psycopg."""
    compiled = query.compile(dialect=_dialect, compile_kwargs={"render_postcompile": True})
    return list(connection.execute(str(compiled), compiled.params))
