"""Archives of old payloads in Postgres: what is due, what an object holds, and the commit in which a row begins to rely on it.

As role `retention`. A row's payload is either in the row or in the archive that the row names, never in neither: the row is emptied
in the transaction that turns the archive from WRITING to KEPT, after the object was read back. One that is LEFT can never become KEPT.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.errors import Transient
from zixly_core.ids import new_id
from zixly_core.stores.database import Database, Rows

Table = Literal["events", "deliveries"]

# An archive that is WRITING for so long was left by a run that is no more: a run puts an object within seconds.
LEFT_AFTER = timedelta(hours=1)
AGENCY = "agency"

# No payload of a job that is not over: waiting, parked, paused, running. A callback's event may be what a job waits for.
NOT_NEEDED = """not exists (
    select from zixly.workflow_jobs j where j.status in ('QUEUED', 'RUNNING') and (j.event_id = {event} or j.wake_event_id = {event}))"""

DUE_SQL: Mapping[Table, str] = {
    "events": f"""
select e.id, e.tenant_id, (e.received_at at time zone 'UTC')::date as day, octet_length(e.payload) as bytes from zixly.events e
where e.payload is not null and e.received_at < now() - %(age)s and {NOT_NEEDED.format(event="e.id")}
order by e.received_at limit %(limit)s""",
    "deliveries": f"""
select d.id, o.tenant_id, (d.received_at at time zone 'UTC')::date as day, octet_length(d.body) as bytes from zixly.deliveries d
cross join lateral (
  select case when count(distinct e.tenant_id) = 1 and count(e.tenant_id) = count(*) then min(e.tenant_id::text)::uuid end as tenant_id
  from zixly.events e where e.delivery_id = d.id
) o
where d.body <> '' and d.received_at < now() - %(age)s
  and not exists (select from zixly.events e where e.delivery_id = d.id and not ({NOT_NEEDED.format(event="e.id")}))
order by d.received_at limit %(limit)s""",
}
READ_SQL: Mapping[Table, str] = {
    "events": "select id, payload as data from zixly.events where id = any(%s) and payload is not null",
    "deliveries": "select id, body as data from zixly.deliveries where id = any(%s) and body <> ''",
}
EMPTY_SQL: Mapping[Table, str] = {
    "events": f"""
update zixly.events e set payload = null, archive_id = %s
where e.id = any(%s) and e.payload is not null and {NOT_NEEDED.format(event="e.id")}""",
    "deliveries": """
update zixly.deliveries d set body = '', archive_id = %s where d.id = any(%s) and d.body <> ''""",
}

BEGIN_SQL = """
insert into zixly.payload_archives (id, tenant_id, object_key, day, members, bytes) values (%s, %s, %s, %s, %s, %s)"""
KEEP_SQL = "update zixly.payload_archives set state = 'KEPT' where id = %s and state = 'WRITING'"
LEFT_SQL = """
update zixly.payload_archives set state = 'LEFT'
where state = 'LEFT' or (state = 'WRITING' and created_at < now() - %s) returning id, object_key"""
LEAVE_SQL = "update zixly.payload_archives set state = 'LEFT' where id = %s and state = 'WRITING'"
FORGET_SQL = "delete from zixly.payload_archives where id = %s and state = 'LEFT'"


@dataclass(frozen=True)
class Due:
    """A payload that is old enough to be archived."""

    id: UUID
    tenant_id: UUID | None
    day: date
    bytes: int


@dataclass(frozen=True)
class Group:
    """Payloads that go into one object: of one table, one tenant and one day. None: of nobody, or of several tenants."""

    table: Table
    tenant_id: UUID | None
    day: date
    ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Archive:
    """An archive by its id and the key of its object."""

    id: UUID
    object_key: str


class RowsChanged(Transient):
    """A payload was erased, or needed again, while its archive was written; the archive is given up."""

    default_reason = "rows_changed"


def due_payloads(database: Database, *, table: Table, older_than: timedelta, limit: int) -> list[Due]:
    """The oldest payloads that are due, and that no open job needs."""
    with database.transaction() as connection, connection.cursor(row_factory=class_row(Due)) as cursor:
        return cursor.execute(DUE_SQL[table], {"age": older_than, "limit": limit}).fetchall()


def due_count(database: Database, *, table: Table, older_than: timedelta) -> tuple[int, int]:
    """How many payloads are due, and how many bytes they have."""
    counted = f"select count(*)::bigint as payloads, coalesce(sum(due.bytes), 0)::bigint as bytes from ({DUE_SQL[table]}) due"
    with database.transaction() as connection:
        row = connection.execute(counted, {"age": older_than, "limit": None}).fetchone()
    return (row["payloads"], row["bytes"]) if row else (0, 0)


def grouped(table: Table, due: Sequence[Due], *, max_bytes: int, max_members: int) -> Iterator[Group]:
    """One group for each tenant and day, several where they are large; the oldest first."""
    by_place: dict[tuple[UUID | None, date], list[Due]] = {}
    for one in due:
        by_place.setdefault((one.tenant_id, one.day), []).append(one)
    for (tenant_id, day), members in by_place.items():
        chosen: list[UUID] = []
        size = 0
        for one in members:
            if chosen and (size + one.bytes > max_bytes or len(chosen) == max_members):
                yield Group(table, tenant_id, day, tuple(chosen))
                chosen, size = [], 0
            chosen.append(one.id)
            size += one.bytes
        yield Group(table, tenant_id, day, tuple(chosen))


def begin_archive(database: Database, group: Group) -> tuple[Archive, dict[UUID, bytes]]:
    """Note an archive before its object is put, and read what it will hold."""
    archive_id = new_id()
    key = f"{group.tenant_id or AGENCY}/archive/{group.day.isoformat()}/{archive_id}.gz"
    with database.transaction() as connection:
        rows = connection.execute(READ_SQL[group.table], (list(group.ids),)).fetchall()
        members = {row["id"]: bytes(row["data"]) for row in rows}
        size = sum(len(data) for data in members.values())
        connection.execute(BEGIN_SQL, (archive_id, group.tenant_id, key, group.day, len(members), size))
    return Archive(archive_id, key), members


def rely_on(database: Database, archive: Archive, *, table: Table, ids: Sequence[UUID]) -> None:
    """Empty the rows, which are in the archive now. All or nothing: raises `RowsChanged` when one of them is not as it was read."""
    with database.transaction() as connection:
        kept = connection.execute(KEEP_SQL, (archive.id,)).rowcount
        emptied = connection.execute(EMPTY_SQL[table], (archive.id, list(ids))).rowcount
        if kept != 1 or emptied != len(ids):
            raise RowsChanged(f"{len(ids) - emptied} payloads of archive {archive.id} changed while it was written; it is made anew.")


def left_archives(database: Database, *, after: timedelta = LEFT_AFTER) -> list[Archive]:
    """Archives whose run was killed before any row relied on them; their objects may be there or not. From now on no row can."""
    with database.transaction() as connection:
        return [Archive(row["id"], row["object_key"]) for row in connection.execute(LEFT_SQL, (after,))]


def leave(database: Database, archive: Archive) -> None:
    """No row shall rely on this archive: its object may be deleted, and then it may be forgotten."""
    with database.transaction() as connection:
        connection.execute(LEAVE_SQL, (archive.id,))


def forget(database: Database, archive: Archive) -> None:
    """Forget an archive that was left, after its object is gone."""
    with database.transaction() as connection:
        connection.execute(FORGET_SQL, (archive.id,))


# Where payloads lie, for those who read them -----------------------------------------------------------------------------

EVENTS_SQL = """
select e.id, e.payload as data, a.object_key from zixly.events e left join zixly.payload_archives a on a.id = e.archive_id
where e.id = any(%s) and (e.payload is not null or e.archive_id is not null)"""
DELIVERIES_SQL = """
select d.id, d.body as data, a.object_key from zixly.deliveries d left join zixly.payload_archives a on a.id = d.archive_id
where d.id = any(%s) and (d.body <> '' or d.archive_id is not null)"""
WHERE_SQL: Mapping[Table, str] = {"events": EVENTS_SQL, "deliveries": DELIVERIES_SQL}


@dataclass(frozen=True)
class Where:
    """A payload: the bytes, or the key of the archive that holds them under the row's id."""

    id: UUID
    data: bytes | None
    object_key: str | None


def where_payloads_are(connection: Rows, ids: Sequence[UUID], *, table: Table = "events") -> list[Where]:
    """Those of the rows that have a payload and that the transaction's scope shows."""
    rows = connection.execute(WHERE_SQL[table], (list(ids),))
    return [Where(row["id"], None if row["object_key"] else bytes(row["data"]), row["object_key"]) for row in rows]
