"""Issues as people look at them: a list, and one with its story. Row-level security decides what is seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page

COLUMNS = """i.id, t.slug as tenant, i.tenant_id, i.system, i.operation, i.reason, i.connection_id, i.title, i.link, i.status, i.count,
  i.first_seen_at, i.last_seen_at, i.owner, i.note, i.acknowledged_at, i.resolved_at
from zixly.issues i join zixly.tenants t on t.id = i.tenant_id"""
LIST_SQL = f"""
select {COLUMNS}
where (%(tenant)s::text is null or t.slug = %(tenant)s) and (%(system)s::text is null or i.system = %(system)s)
  and (%(status)s::text is null or i.status = %(status)s)
  and (%(at)s::timestamptz is null or (i.{{age}}, i.id) < (%(at)s, %(after)s::uuid))
order by i.{{age}} desc, i.id desc limit %(limit)s"""
ONE_SQL = f"select {COLUMNS} where i.id = %s"
TRANSITIONS_SQL = "select transition, at, actor from zixly.issue_transitions where issue_id = %s order by at, id"

# What is left of it comes first: dead letters, then jobs that are tried again.
JOBS_SQL = """
select id, workflow_type, status, dead_letter, record_id, attempts, origin, error_reason, error_message, completed_at,
  coalesce(run_id, last_run_id) as run_id, taken_over_by
from zixly.workflow_jobs where issue_id = %s order by dead_letter desc, completed_at desc nulls first limit %s"""
LEFT_SQL = """
select count(*) filter (where dead_letter) as dead_letters,
  count(*) filter (where not dead_letter and status in ('QUEUED', 'RUNNING')) as under_way
from zixly.workflow_jobs where issue_id = %s"""
EARLIER_SQL = """
select o.id, o.status, o.count, o.first_seen_at, o.last_seen_at, o.resolved_at, o.note
from zixly.issues i join zixly.issues o on o.tenant_id = i.tenant_id and o.system = i.system and o.operation = i.operation
  and o.reason = i.reason and o.connection_id is not distinct from i.connection_id and o.id <> i.id
where i.id = %s order by o.last_seen_at desc limit 5"""
# When its jobs failed, in so many equal parts of the time since it was first seen.
OVER_TIME_SQL = """
select least(greatest(floor(%(parts)s * extract(epoch from j.completed_at - i.first_seen_at)
                            / extract(epoch from greatest(i.last_seen_at - i.first_seen_at, interval '1 minute'))), 0), %(parts)s - 1)::int
         as part,
  count(*)::int as failures
from zixly.issues i join zixly.workflow_jobs j on j.issue_id = i.id and j.completed_at is not null
where i.id = %(id)s group by 1"""
ELSEWHERE_SQL = """
select o.id, t.slug as tenant, o.status, o.count, o.last_seen_at
from zixly.issues i join zixly.issues o on o.system = i.system and o.operation = i.operation and o.reason = i.reason
  and o.tenant_id <> i.tenant_id and o.status <> 'RESOLVED'
join zixly.tenants t on t.id = o.tenant_id
where i.id = %s order by o.last_seen_at desc limit 20"""
EXAMPLES = 5


@dataclass(frozen=True)
class IssueFilter:
    """Which issues are wanted; None leaves a question open. `tenant` is a slug."""

    tenant: str | None = None
    system: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class Issue:
    """Failures with one cause. `link` is a path on the bridge where a person can mend it."""

    id: UUID
    tenant: str
    tenant_id: UUID
    system: str
    operation: str
    reason: str
    connection_id: UUID | None
    title: str
    link: str | None
    status: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    owner: str | None
    note: str | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None


def issues_page(
    rows: Rows, wanted: IssueFilter, *, page: Page, age: Literal["last_seen_at", "first_seen_at"] = "last_seen_at"
) -> list[Issue]:
    """Issues, the latest seen first, as the scope of the transaction allows. An issue that is seen again goes to the front: whoever reads
    all of them, a page at a time, reads them by `first_seen_at` and misses none."""
    at, after = page.after or (None, None)
    values = asdict(wanted) | {"at": at, "after": after, "limit": page.limit}
    with rows.cursor(row_factory=class_row(Issue)) as cursor:
        return cursor.execute(LIST_SQL.format(age=age), values).fetchall()


def issue_with_story(rows: Rows, issue_id: UUID) -> dict[str, Any] | None:
    """One issue with what became of it, examples of its jobs, how many are left, and earlier ones of the same cause; None when the
    scope shows no such issue."""
    with rows.cursor(row_factory=class_row(Issue)) as cursor:
        issue = cursor.execute(ONE_SQL, (issue_id,)).fetchone()
    if issue is None:
        return None
    left = rows.execute(LEFT_SQL, (issue_id,)).fetchone() or {}
    return {
        "issue": issue,
        "transitions": list(rows.execute(TRANSITIONS_SQL, (issue_id,))),
        "jobs": list(rows.execute(JOBS_SQL, (issue_id, EXAMPLES))),
        "earlier": list(rows.execute(EARLIER_SQL, (issue_id,))),
        **left,
    }


def failures_over_time(rows: Rows, issue_id: UUID, *, parts: int) -> list[int]:
    """How many of an issue's jobs failed in each part of the time from when it was first seen to when it was last seen."""
    counts = {row["part"]: row["failures"] for row in rows.execute(OVER_TIME_SQL, {"id": issue_id, "parts": parts})}
    return [counts.get(part, 0) for part in range(parts)]


def same_cause_elsewhere(rows: Rows, issue_id: UUID) -> list[dict[str, Any]]:
    """Issues of the same cause that stand at other tenants, as far as the scope sees them: then the vendor may be the cause."""
    return list(rows.execute(ELSEWHERE_SQL, (issue_id,)))
