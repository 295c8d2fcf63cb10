"""Erased members of archives, which still have to be taken out of their objects; as role `retention`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from zixly_core.stores.database import Database, Rows

PENDING_SQL = "select distinct archive_id from zixly.archive_removals order by archive_id limit %s"
LOCK_SQL = "select id, object_key from zixly.payload_archives where id = %s for update"
MEMBERS_SQL = "select member_id from zixly.archive_removals where archive_id = %s"
SHRUNK_SQL = "update zixly.payload_archives set members = %s, bytes = %s where id = %s"
REMOVED_SQL = "delete from zixly.archive_removals where archive_id = %s and member_id = any(%s)"
FORGET_SQL = """
delete from zixly.payload_archives a where a.id = %s and not exists (select from zixly.events e where e.archive_id = a.id)
  and not exists (select from zixly.deliveries d where d.archive_id = a.id)"""


@dataclass(frozen=True)
class Shrinking:
    """An archive, locked, with the members that are to go."""

    rows: Rows
    archive_id: UUID
    object_key: str
    removed: frozenset[UUID]

    def shrunk(self, *, members: int, size: int) -> None:
        """The object is without them."""
        self.rows.execute(SHRUNK_SQL, (members, size, self.archive_id))
        self.rows.execute(REMOVED_SQL, (self.archive_id, list(self.removed)))

    def emptied(self) -> None:
        """The object is gone; so is the archive, unless a row still names it."""
        self.rows.execute(REMOVED_SQL, (self.archive_id, list(self.removed)))
        self.rows.execute(FORGET_SQL, (self.archive_id,))


def pending_archives(database: Database, *, limit: int = 1_000) -> list[UUID]:
    """Archives that hold something erased."""
    with database.transaction() as connection:
        return [row["archive_id"] for row in connection.execute(PENDING_SQL, (limit,))]


@contextmanager
def shrinking(database: Database, archive_id: UUID) -> Iterator[Shrinking | None]:
    """The archive under a lock that others who shrink it wait for; None when it is gone."""
    with database.transaction() as connection:
        row = connection.execute(LOCK_SQL, (archive_id,)).fetchone()
        if row is None:
            yield None
            return
        removed = frozenset(found["member_id"] for found in connection.execute(MEMBERS_SQL, (archive_id,)))
        yield Shrinking(connection, archive_id, row["object_key"], removed)


# Which events of a tenant lie in archives, for those who look for an address in there -------------------------------------

OF_TENANT_SQL = """
select a.object_key from zixly.payload_archives a
where a.tenant_id = %s and a.state = 'KEPT' and exists (select from zixly.events e where e.archive_id = a.id) order by a.day, a.id"""
THERE_SQL = "select id from zixly.events where id = any(%s) and archive_id is not null"


def events_in_archives(
    database: Database, tenant_id: UUID, is_wanted: Callable[[bytes], bool], read: Callable[[str], dict[UUID, bytes]]
) -> list[UUID]:
    """The tenant's events whose archived payload is wanted, as role `runs`; one archive is in memory at a time."""
    with database.transaction(tenant_id=tenant_id) as connection:
        keys = [row["object_key"] for row in connection.execute(OF_TENANT_SQL, (tenant_id,))]
    found = [member for key in keys for member, data in read(key).items() if is_wanted(data)]
    if not found:
        return []
    with database.transaction(tenant_id=tenant_id) as connection:
        return [row["id"] for row in connection.execute(THERE_SQL, (found,))]
