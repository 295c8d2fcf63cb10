"""Replays as people look at them: how far each is, what its jobs became, and what a preview would write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from zixly_core.job import JobStatus
from zixly_core.replays import Progress
from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page, Row, paged, rows_of
from zixly_core.tables import replays, tenants

# Of a replay that many jobs belong to: the first of each are shown, `/api/jobs?made_by=` lists all.
SHOWN_JOBS = 50
SHOWN_PREVIEWS = 20

PROGRESS_SQL = """
select made_by, status, count(*) as count, min(started_at) as first_begun_at, max(due_at) filter (where status = 'QUEUED') as last_due_at
from zixly.workflow_jobs where made_by = any(%s) group by made_by, status"""
REASONS_SQL = """
select error_reason as reason, count(*) as count from zixly.workflow_jobs
where made_by = %s and status = 'FAILED' and error_reason is not null group by 1 order by 2 desc, 1"""
# Failed ones first: they are what somebody looks for.
JOBS_SQL = """
select id, origin_job_id, workflow_type as workflow, record_id, status, error_reason, due_at, completed_at from zixly.workflow_jobs
where made_by = %s order by status <> 'FAILED', due_at, id limit %s"""
PLANNED = "jsonb_array_length(case jsonb_typeof(result -> 'would_write') when 'array' then result -> 'would_write' else '[]' end)"
PREVIEW_SQL = f"""
select count(*) filter (where status = 'COMPLETED' and {PLANNED} > 0) as would_write,
  count(*) filter (where status = 'COMPLETED' and {PLANNED} = 0) as nothing,
  count(*) filter (where status = 'FAILED') as fail,
  count(*) filter (where status in ('QUEUED', 'RUNNING')) as open,
  coalesce(sum({PLANNED}) filter (where status = 'COMPLETED'), 0)::bigint as writes
from zixly.workflow_jobs where made_by = %s"""
DIFFERENCES_SQL = f"""
select id as job_id, origin_job_id, workflow_type as workflow, result -> 'would_write' as would_write from zixly.workflow_jobs
where made_by = %s and status = 'COMPLETED' and {PLANNED} > 0 order by due_at, id limit %s"""


def replays_page(connection: Rows, *, tenant: str | None, page: Page) -> list[Row]:
    """Replays, newest first, each with its progress."""
    query = select(replays, tenants.c.slug.label("tenant")).join(tenants, tenants.c.id == replays.c.tenant_id)
    if tenant is not None:
        query = query.where(tenants.c.slug == tenant)
    return with_progress(connection, rows_of(connection, paged(query, replays, "created_at", page)))


def replay_detail(connection: Rows, replay_id: UUID) -> Row | None:
    """One replay with its first jobs, why jobs failed, and of a preview what it would write; None when the scope shows no such one."""
    query = select(replays, tenants.c.slug.label("tenant")).join(tenants, tenants.c.id == replays.c.tenant_id)
    found = with_progress(connection, rows_of(connection, query.where(replays.c.id == replay_id)))
    if not found:
        return None
    replay = found[0]
    replay["reasons"] = {row["reason"]: row["count"] for row in connection.execute(REASONS_SQL, (replay_id,))}
    replay["jobs"] = list(connection.execute(JOBS_SQL, (replay_id, SHOWN_JOBS)))
    replay["preview"] = preview_of(connection, replay_id) if replay["is_dry_run"] else None
    return replay


def preview_of(connection: Rows, replay_id: UUID) -> Row:
    """What the jobs of a dry run would do, in numbers, and the first differences."""
    counted = next(iter(connection.execute(PREVIEW_SQL, (replay_id,))))
    return counted | {"first": list(connection.execute(DIFFERENCES_SQL, (replay_id, SHOWN_PREVIEWS)))}


def with_progress(connection: Rows, found: Sequence[Row]) -> list[Row]:
    rows = list(connection.execute(PROGRESS_SQL, ([row["id"] for row in found],)))
    return [row | {"progress": progress_of([one for one in rows if one["made_by"] == row["id"]], row)} for row in found]


def progress_of(rows: Sequence[Row], replay: Row) -> Progress:
    begun: list[Any] = [row["first_begun_at"] for row in rows if row["first_begun_at"] is not None]
    return Progress(
        counts={JobStatus(row["status"]): row["count"] for row in rows},
        is_stopped=replay["stopped_at"] is not None,
        first_begun_at=min(begun, default=None),
        last_due_at=next((row["last_due_at"] for row in rows if row["last_due_at"] is not None), None),
    )
