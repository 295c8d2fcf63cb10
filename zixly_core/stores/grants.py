"""Grants as upkeep sees them: which lie idle for so long that the vendor will end them, and which no connection needs any more."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.stores.database import Database
from zixly_core.stores.tokens import where_of
from zixly_core.token_store import Connection, KeptTokens

# One connection of each grant is enough: its exchange renews the tokens for all. The longest unused come first.
IDLE_SQL = """
select id, tenant_id, system, external_id from (
  select distinct on (g.id) c.id, c.tenant_id, c.system, c.external_id, g.refreshed_at
  from zixly.grants g join zixly.connections c on c.grant_id = g.id
  where g.system = %s and g.refreshed_at < now() - %s and c.status = 'ACTIVE'
  order by g.id, c.id) idle
order by refreshed_at limit %s"""

UNUSED_SQL = """
select g.id, g.tenant_id from zixly.grants g
where g.refreshed_at < now() - %s and not exists (select from zixly.connections c where c.grant_id = g.id)
order by g.refreshed_at limit %s"""

# A worker may be exchanging it still; then it is left for the next time.
REMOVE_SQL = """
delete from zixly.grants where id in (
  select g.id from zixly.grants g
  where g.id = %s and not exists (select from zixly.connections c where c.grant_id = g.id) for update skip locked)
returning ciphertext, secret_version"""


def idle_connections(dispatch: Database, *, system: str, unused_for: timedelta, limit: int) -> list[Connection]:
    """Connected accounts, one for each grant, whose tokens were not exchanged for so long."""
    with dispatch.transaction() as rows, rows.cursor(row_factory=class_row(Connection)) as cursor:
        return cursor.execute(IDLE_SQL, (system, unused_for, limit)).fetchall()


def unused_grants(dispatch: Database, *, older_than: timedelta, limit: int) -> list[tuple[UUID, UUID]]:
    """Grants that no connection lives on, with their tenants."""
    with dispatch.transaction() as rows:
        return [(row["id"], row["tenant_id"]) for row in rows.execute(UNUSED_SQL, (older_than, limit))]


def remove_grant(runs: Database, grant_id: UUID, *, tenant_id: UUID) -> KeptTokens | None:
    """Remove a grant, unless somebody uses it; where its tokens were."""
    with runs.transaction(tenant_id=tenant_id) as rows:
        row = rows.execute(REMOVE_SQL, (grant_id,)).fetchone()
    return None if row is None else where_of(row)
