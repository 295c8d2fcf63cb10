"""Issues as people look at them: a list, and one with its story. Row-level security decides what is seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.stores.database import Rows

LIST_SQL = """
select i.id, t.slug as tenant, i.system, i.operation, i.reason, i.connection_id, i.title, i.link, i.status, i.count,
  i.first_seen_at, i.last_seen_at, i.owner, i.note, i.acknowledged_at, i.resolved_at
from zixly.issues i join zixly.tenants t on t.id = i.tenant_id
where (%(tenant)s::text is null or t.slug = %(tenant)s) and (%(system)s::text is null or i.system = %(system)s)
  and (%(status)s::text is null or i.status = %(status)s)
order by i.last_seen_at desc, i.id limit %(limit)s"""


@dataclass(frozen=True)
class Issue:
    """Failures with one cause. `link` is a path on the bridge where a person can mend it."""

    id: UUID
    tenant: str
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


def issues_page(rows: Rows, *, tenant: str | None, system: str | None, status: str | None, limit: int) -> list[Issue]:
    """Issues, the latest seen first, as the scope of the transaction allows."""
    values = {"tenant": tenant, "system": system, "status": status, "limit": limit}
    with rows.cursor(row_factory=class_row(Issue)) as cursor:
        return cursor.execute(LIST_SQL, values).fetchall()
