"""A tenant taken out of every table, as `personal_data.TABLES` says; ids and counts stay. Role `retention`, in transactions that name the
tenant and therefore see no other; only deliveries, which can span tenants, are looked at across.

Every step finds what is left to do by looking, so it can be killed and repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from zixly_core.personal_data import TABLES, Erasing, Holds, TableHolds
from zixly_core.stores.audit import note
from zixly_core.stores.cancel import CANCEL_SQL, note_cancelled
from zixly_core.stores.database import Database
from zixly_core.token_store import KeptTokens

ACTOR = "job tenant_erase"
# Rows in one transaction.
CHUNK = 500
# A worker that began and was not heard of again; and one that waits for running jobs to stop.
BEGUN_COUNTS_FOR = timedelta(minutes=1)

DUE_SQL = """
select tenant_id, asked_at, tried_at from zixly.tenant_erasures
where done_at is null and (tried_at is null or tried_at < now() - %s) order by asked_at limit 20"""
TAKE_SQL = "update zixly.tenant_erasures set tried_at = now() where tenant_id = %s and done_at is null returning accounts"
RUNNING_SQL = "select count(*) as n from zixly.workflow_jobs where tenant_id = %s and status = 'RUNNING' and lease_until > now()"
GRANTS_SQL = """
select c.id, c.system, c.external_id from zixly.connections c where c.grant_id is not null and c.tenant_id = %s order by c.id"""
BY_HAND_SQL = "update zixly.tenant_erasures set by_hand = by_hand || %s where tenant_id = %s and not by_hand @> %s"

# Nobody's account any more: what its vendor still sends finds no tenant.
LET_GO_SQL = """
update zixly.connections set external_id = 'erased:' || id, status = 'DISCONNECTED', parked_reason = 'erased', grant_id = null
where tenant_id = %s and (grant_id is not null or external_id not like 'erased:%%')"""
REMOVE_GRANTS_SQL = "delete from zixly.grants where tenant_id = %s returning id, secret_version"

# Events of the tenant and of accounts that became its own later, in the order of their ids; and the deliveries that they came with, also
# where others' events came with them: what those said is in those events. Of one that was rejected first the sealed copy goes too.
RECEIVED_SQL = """
with chosen as materialized (
  select e.id, e.delivery_id, e.archive_id from zixly.events e
  where e.id > %(after)s and (e.tenant_id = %(tenant)s or (e.tenant_id is null and (e.system, e.external_id) in (
    select a.system, a.account from jsonb_to_recordset(%(accounts)s) as a (system text, account text))))
  order by e.id limit %(limit)s
), bodies as materialized (
  select d.id, d.archive_id from zixly.deliveries d where d.id in (select delivery_id from chosen)
  union select d.id, d.archive_id from zixly.deliveries d where d.accepted_as in (select delivery_id from chosen)
), noted as (
  insert into zixly.archive_removals (archive_id, member_id)
  select archive_id, id from chosen where archive_id is not null union select archive_id, id from bodies where archive_id is not null
  on conflict do nothing
), emptied as (
  update zixly.events e set payload = null, archive_id = null from chosen c
  where e.id = c.id and (e.payload is not null or e.archive_id is not null) returning e.id
), bared as (
  update zixly.deliveries d set body = '', sealed = null, archive_id = null, headers = '{}' from bodies b
  where d.id = b.id and (d.body <> '' or d.sealed is not null or d.archive_id is not null or d.headers <> '{}') returning d.id
)
select (select id from chosen order by id desc limit 1) as last, (select count(*) from emptied) as events,
  (select count(*) from bared) as deliveries"""
NO_ID = UUID(int=0)

# People who belong to this tenant only. Memberships go with them.
PEOPLE_SQL = """
delete from zixly.users u where u.id in (select m.user_id from zixly.memberships m where m.tenant_id = %(tenant)s)
  and not exists (select from zixly.memberships m where m.user_id = u.id and m.tenant_id is distinct from %(tenant)s)"""

DONE_SQL = "update zixly.tenant_erasures set done_at = now(), counts = %s where tenant_id = %s"
ERASED_SQL = "update zixly.tenants set erased_at = coalesce(erased_at, now()), paused_at = coalesce(paused_at, now()) where id = %s"


@dataclass(frozen=True)
class DueErasure:
    """A tenant that is to be erased."""

    tenant_id: UUID
    asked_at: object
    tried_at: object


@dataclass(frozen=True)
class Authorised:
    """A connection that is still authorised at its vendor."""

    id: UUID
    system: str
    external_id: str


def due_erasures(database: Database) -> list[DueErasure]:
    """Tenants to be erased, as role `dispatch`."""
    with database.transaction() as connection:
        return [DueErasure(**row) for row in connection.execute(DUE_SQL, (BEGUN_COUNTS_FOR,))]


def take_erasure(database: Database, tenant_id: UUID) -> list[dict[str, Any]] | None:
    """Begin or go on: the accounts that the tenant had when it was asked for. None when it is done, or nobody asked."""
    with database.transaction(tenant_id=tenant_id) as connection:
        row = connection.execute(TAKE_SQL, (tenant_id,)).fetchone()
    return row["accounts"] if row else None


def stop_work(runs: Database, tenant_id: UUID) -> int:
    """Cancel what is open, as the role of the runs; how many jobs still are in a worker's hands."""
    with runs.transaction(tenant_id=tenant_id) as connection:
        rows = list(connection.execute(CANCEL_SQL.format(chosen="tenant_id = %s and cancel_requested_at is null"), (tenant_id,)))
        note_cancelled(connection, rows, actor=ACTOR)
        row = connection.execute(RUNNING_SQL, (tenant_id,)).fetchone()
    return row["n"] if row else 0


def authorised_connections(database: Database, tenant_id: UUID) -> list[Authorised]:
    with database.transaction(tenant_id=tenant_id) as connection:
        return [Authorised(**row) for row in connection.execute(GRANTS_SQL, (tenant_id,))]


def note_by_hand(database: Database, tenant_id: UUID, words: str) -> None:
    """What a person has to do at a vendor; once."""
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(BY_HAND_SQL, (Jsonb([words]), tenant_id, Jsonb([words])))


def let_go_of_accounts(database: Database, tenant_id: UUID) -> list[tuple[UUID, KeptTokens]]:
    """From now on nothing belongs to the tenant that comes from its accounts, and its tokens are gone from the database; where else
    they are kept."""
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(LET_GO_SQL, (tenant_id,))
        rows = connection.execute(REMOVE_GRANTS_SQL, (tenant_id,)).fetchall()
    return [(row["id"], KeptTokens(secret_version=row["secret_version"])) for row in rows]


@dataclass(frozen=True)
class ErasedReceived:
    """Some hundred events gone through: how many payloads and bodies went, and where to go on. `last` is None at the end."""

    last: UUID | None
    events: int
    deliveries: int


def erase_received(database: Database, tenant_id: UUID, accounts: Sequence[Mapping[str, Any]], *, after: UUID) -> ErasedReceived:
    values = {"tenant": tenant_id, "accounts": Jsonb(list(accounts)), "limit": CHUNK, "after": after}
    with database.transaction() as connection, connection.cursor(row_factory=class_row(ErasedReceived)) as cursor:
        return cursor.execute(RECEIVED_SQL, values).fetchone() or ErasedReceived(None, 0, 0)


def erase_people(database: Database, tenant_id: UUID) -> int:
    """Users who belong to nobody else. Memberships elsewhere are seen only outside of the tenant's own view."""
    with database.transaction() as connection:
        return connection.execute(PEOPLE_SQL, {"tenant": tenant_id}).rowcount


def erase_rows(database: Database, table: str, tenant_id: UUID) -> int:
    """Some hundred rows of a table, emptied or deleted as it is said there; how many."""
    held = TABLES[table]
    query = {Erasing.DELETE: delete_query, Erasing.EMPTY: empty_query}[held.erasing](table, held)
    with database.transaction(tenant_id=tenant_id) as connection:
        return connection.execute(query, {"tenant": tenant_id, "limit": CHUNK}).rowcount


def delete_query(table: str, held: TableHolds) -> str:
    return (
        f"delete from zixly.{table} where ctid = any(array(select ctid from zixly.{table} where {held.of_tenant} limit %(limit)s))"
        f" and {held.of_tenant}"
    )


def empty_query(table: str, held: TableHolds) -> str:
    """Only rows that are not empty yet, so that it comes to an end."""
    emptied = {column: held.empty.get(column, "null") for column in held.columns_of(Holds.PERSONAL, Holds.SECRET, Holds.WORDS)}
    sets = ", ".join(f"{column} = {value}" for column, value in emptied.items())
    filled = " or ".join(f"{column} is distinct from {value}" for column, value in emptied.items())
    return (
        f"update zixly.{table} set {sets} where ctid = any(array("
        f"select ctid from zixly.{table} where {held.of_tenant} and ({filled}) limit %(limit)s)) and {held.of_tenant}"
    )


def note_done(database: Database, tenant_id: UUID, counts: Mapping[str, int]) -> None:
    """The tenant is erased: in its own row, and in the audit log."""
    with database.transaction(tenant_id=tenant_id) as connection:
        connection.execute(DONE_SQL, (Jsonb(dict(counts)), tenant_id))
        connection.execute(ERASED_SQL, (tenant_id,))
        note(connection, actor=ACTOR, action="tenant.erased", subject=tenant_id, tenant_id=tenant_id, details=counts)
