"""What messages are made from, read within one tenant, as role `runs`: issues, and how a day went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.notifications.facts import IssueFacts, TenantDay, WorkflowDay
from zixly_core.stores.database import Database, Rows

SHOWN_ISSUES = 10

ISSUES_SQL = """
select i.id, t.slug as tenant, i.system, i.operation, i.reason, i.title, i.link, i.status, i.count, i.first_seen_at, i.last_seen_at,
  (select count(*) from zixly.issue_transitions e join zixly.issues o on o.id = e.issue_id
   where o.tenant_id = i.tenant_id and o.system = i.system and o.operation = i.operation and o.reason = i.reason
     and o.connection_id is not distinct from i.connection_id
     and e.transition in ('opened', 'reopened') and e.at > now() - interval '1 day') as openings
from zixly.issues i join zixly.tenants t on t.id = i.tenant_id
where i.id = any(%s)"""
OPEN_SQL = """
select i.id, t.slug as tenant, i.system, i.operation, i.reason, i.title, i.link, i.status, i.count, i.first_seen_at, i.last_seen_at
from zixly.issues i join zixly.tenants t on t.id = i.tenant_id
where i.status in ('OPEN', 'ACKNOWLEDGED') order by i.last_seen_at desc, i.id limit %s"""
OPEN_COUNT_SQL = "select count(*) as issues from zixly.issues where status in ('OPEN', 'ACKNOWLEDGED')"
DEAD_SQL = "select count(*) as jobs from zixly.workflow_jobs where dead_letter"
DAY_SQL = """
select workflow_type as workflow, count(*) filter (where status = 'COMPLETED') as completed,
  count(*) filter (where status = 'FAILED') as failed, count(*) filter (where origin = 'replay') as replayed
from zixly.workflow_jobs
where completed_at >= %s and completed_at < %s and status in ('COMPLETED', 'FAILED')
group by workflow_type order by workflow_type"""
DRIFTS_SQL = "select count(*) as drifts from zixly.drifts where found_at >= %s and found_at < %s"
TENANT_SQL = "select slug, time_zone from zixly.tenants where id = %s"


def issues_of(database: Database, tenant_id: UUID, issue_ids: Sequence[UUID]) -> dict[UUID, IssueFacts]:
    """The tenant's issues with these ids; those that are gone are missing."""
    with database.transaction(tenant_id=tenant_id) as rows, rows.cursor(row_factory=class_row(IssueFacts)) as cursor:
        return {issue.id: issue for issue in cursor.execute(ISSUES_SQL, (list(issue_ids),))}


def day_of(database: Database, tenant_id: UUID, *, day: date, begin: datetime, end: datetime) -> TenantDay | None:
    """How the tenant's day went, and what waits for a person now; None when the tenant is gone."""
    with database.transaction(tenant_id=tenant_id) as rows:
        tenant = rows.execute(TENANT_SQL, (tenant_id,)).fetchone()
        if tenant is None:
            return None
        with rows.cursor(row_factory=class_row(IssueFacts)) as cursor:
            issues = cursor.execute(OPEN_SQL, (SHOWN_ISSUES,)).fetchall()
        return TenantDay(
            tenant=tenant["slug"],
            day=day,
            begin=begin,
            end=end,
            workflows=[WorkflowDay(**row) for row in rows.execute(DAY_SQL, (begin, end))],
            open_issues=issues,
            open_issue_count=counted(rows, OPEN_COUNT_SQL, "issues"),
            dead_letters=counted(rows, DEAD_SQL, "jobs"),
            drifts=counted(rows, DRIFTS_SQL, "drifts", (begin, end)),
        )


def time_zone_of(database: Database, tenant_id: UUID) -> str | None:
    with database.transaction(tenant_id=tenant_id) as rows:
        found = rows.execute(TENANT_SQL, (tenant_id,)).fetchone()
    return found["time_zone"] if found else None


def counted(rows: Rows, query: str, name: str, values: Sequence[object] = ()) -> int:
    found = rows.execute(query, values).fetchone()
    return found[name] if found else 0
