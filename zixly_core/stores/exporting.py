"""A tenant's rows as they are exported: read by the role of the runs under the tenant's own policy, table by table, no secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from zixly_core.personal_data import TABLES, Holds
from zixly_core.stores.database import Database, Rows

CHUNK = 200
# A worker that began and was not heard of again.
BEGUN_COUNTS_FOR = timedelta(minutes=15)

COLUMNS_SQL = """
select column_name as name from information_schema.columns where table_schema = 'zixly' and table_name = %s
  and has_column_privilege(format('zixly.%%I', table_name::text), column_name, 'select') order by ordinal_position"""
DUE_SQL = """
select id, tenant_id, tried_at from zixly.tenant_exports
where status = 'ASKED' and (tried_at is null or tried_at < now() - %s) order by asked_at limit 20"""
TAKE_SQL = "update zixly.tenant_exports set tried_at = now() where id = %s and status = 'ASKED' returning id"
READY_SQL = "update zixly.tenant_exports set status = 'READY', ready_at = now(), counts = %s where id = %s and status = 'ASKED'"
FAILED_SQL = "update zixly.tenant_exports set status = 'FAILED', reason = %s where id = %s and status = 'ASKED'"


@dataclass(frozen=True)
class DueExport:
    """An export that somebody asked for."""

    id: UUID
    tenant_id: UUID
    tried_at: object


def due_exports(database: Database) -> list[DueExport]:
    """Exports to be put together, as role `dispatch`."""
    with database.transaction() as connection:
        return [DueExport(**row) for row in connection.execute(DUE_SQL, (BEGUN_COUNTS_FOR,))]


def take_export(database: Database, export_id: UUID, *, tenant_id: UUID) -> bool:
    with database.transaction(tenant_id=tenant_id) as connection:
        return connection.execute(TAKE_SQL, (export_id,)).rowcount == 1


def note_ready(database: Database, export_id: UUID, *, tenant_id: UUID, counts: Mapping[str, int]) -> None:
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(READY_SQL, (Jsonb(dict(counts)), export_id))


def note_failed(database: Database, export_id: UUID, *, tenant_id: UUID, reason: str) -> None:
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(FAILED_SQL, (reason, export_id))


def exported_rows(connection: Rows, table: str, *, tenant_id: UUID) -> Iterator[list[dict[str, Any]]]:
    """A table's rows of the tenant, some hundred at a time; everything that may be read and is no secret."""
    held = TABLES[table]
    secrets = set(held.columns_of(Holds.SECRET))
    columns = [row["name"] for row in connection.execute(COLUMNS_SQL, (table,)) if row["name"] not in secrets]
    chosen = sql.SQL(", ").join(map(sql.Identifier, columns))
    condition = sql.SQL((held.of_tenant or "false").replace("%(tenant)s", "{tenant}")).format(tenant=sql.Literal(tenant_id))
    query = sql.SQL("select {} from zixly.{} where {}").format(chosen, sql.Identifier(table), condition)
    with connection.cursor(name="export") as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(CHUNK):
            yield rows
