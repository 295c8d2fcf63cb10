"""Issues: what a person must do, one row for each cause however often it shows. Seen and resolved under the tenant's policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.ids import new_id
from zixly_core.stores.database import Rows

RECONNECT = "authorise"
RECONNECT_REASON = "reconnect_needed"

RAISE_SQL = """
insert into zixly.issues (id, tenant_id, system, operation, reason, connection_id, title, link)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (tenant_id, system, operation, reason, connection_id) where status <> 'RESOLVED'
do update set count = issues.count + 1, last_seen_at = now()"""

RESOLVE_SQL = """
update zixly.issues set status = 'RESOLVED'
where connection_id = any(%s) and operation = %s and reason = %s and status <> 'RESOLVED'"""

LIST_SQL = """
select i.id, t.slug as tenant, i.system, i.operation, i.reason, i.connection_id, i.title, i.link, i.status, i.count,
  i.first_seen_at, i.last_seen_at
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


def raise_issue(
    rows: Rows,
    *,
    tenant_id: UUID,
    system: str,
    operation: str,
    reason: str,
    connection_id: UUID | None,
    title: str,
    link: str | None,
) -> None:
    """Raise an issue, or count one more occurrence of the one that is unresolved. `title` holds no personal data."""
    rows.execute(RAISE_SQL, (new_id(), tenant_id, system, operation, reason, connection_id, title, link))


def raise_reconnect_issue(rows: Rows, *, connection_id: UUID, tenant_id: UUID, system: str, name: str) -> None:
    """A connection whose authorisation ended: a person with access to the account has to give it again."""
    raise_issue(
        rows,
        tenant_id=tenant_id,
        system=system,
        operation=RECONNECT,
        reason=RECONNECT_REASON,
        connection_id=connection_id,
        title=f"{system} no longer accepts our authorisation for {name}; its jobs wait until somebody connects it again.",
        link=reconnect_path(system, connection_id),
    )


def resolve_reconnect_issues(rows: Rows, connection_ids: list[UUID]) -> None:
    """The connections were authorised again."""
    rows.execute(RESOLVE_SQL, (connection_ids, RECONNECT, RECONNECT_REASON))


def reconnect_path(system: str, connection_id: UUID) -> str:
    """The page of the bridge where an account is authorised again."""
    return f"/connect/{system}?connection={connection_id}"


def issues_page(rows: Rows, *, tenant: str | None, system: str | None, status: str | None, limit: int) -> list[Issue]:
    """Issues, the latest seen first, as the scope of the transaction allows."""
    values = {"tenant": tenant, "system": system, "status": status, "limit": limit}
    with rows.cursor(row_factory=class_row(Issue)) as cursor:
        return cursor.execute(LIST_SQL, values).fetchall()
