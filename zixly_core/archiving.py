"""Move old payloads from Postgres to the object store, in small batches with pauses, and take erased ones out of there again.

Nothing is lost and nothing doubled whenever the run is killed: an object is put and read back before a row relies on it, a row that
relies on one is emptied in the same commit, and an object that nobody came to rely on is removed by a later run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog

from zixly_core.archive_members import CONTENT_TYPE, packed, unpacked
from zixly_core.errors import ObjectNotFound, Permanent
from zixly_core.object_store import ObjectStore
from zixly_core.stores.archives import (
    Archive,
    Group,
    RowsChanged,
    Table,
    begin_archive,
    due_count,
    due_payloads,
    forget,
    grouped,
    leave,
    left_archives,
    rely_on,
)
from zixly_core.stores.database import Database
from zixly_core.stores.removals import Shrinking, pending_archives, shrinking

log = structlog.get_logger()
# Payloads looked for at once (only their sizes are read), and in one object: read, compressed and sent in a fraction of a second.
LOOK = 2_000
MAX_MEMBERS = 500
MAX_BYTES = 4_000_000
# Between objects, so that live work has disk and processor to itself most of the time: this at least, and four times what the object
# took, since on a busy machine the same object is more work for longer. Never so long that a night comes to nothing.
PAUSE = timedelta(milliseconds=250)
TIMES_AS_LONG = 4
LONGEST_PAUSE = timedelta(seconds=20)
TABLES: tuple[Table, ...] = ("events", "deliveries")


@dataclass(frozen=True)
class Limits:
    """How much a run does, and how gently."""

    older_than: timedelta
    time: timedelta = timedelta(hours=1)
    pause: timedelta = PAUSE
    max_members: int = MAX_MEMBERS
    max_bytes: int = MAX_BYTES


@dataclass
class Archived:
    """What a run came to, or would."""

    events: int = 0
    deliveries: int = 0
    bytes: int = 0
    objects: int = 0
    given_up: int = 0
    """Archives that nobody relies on: of killed runs, and where a payload changed meanwhile."""
    is_complete: bool = True
    """Whether nothing was left to do when the run ended."""

    def count(self, group: Group, *, size: int) -> None:
        setattr(self, group.table, getattr(self, group.table) + len(group.ids))
        self.objects += 1
        self.bytes += size


@dataclass(frozen=True)
class Pace:
    """The clock of a run: how long it may go on, and its pauses."""

    limits: Limits
    began: float = field(default_factory=time.monotonic)
    sleep: Callable[[float], None] = time.sleep

    def is_over(self) -> bool:
        return time.monotonic() - self.began > self.limits.time.total_seconds()

    def rest(self, *, took_seconds: float) -> None:
        """After an object that took so long; not at all where no pause is wanted."""
        least = self.limits.pause.total_seconds()
        if least > 0:
            self.sleep(max(least, min(took_seconds * TIMES_AS_LONG, LONGEST_PAUSE.total_seconds())))


def archive_payloads(database: Database, store: ObjectStore, limits: Limits) -> Archived:
    """Archive what is due, the oldest first, until nothing is or the time is over. Raises `StoreUnavailable`, and what the object
    store raises; what was done until then stays done."""
    done, pace = Archived(given_up=remove_left_behind(database, store)), Pace(limits)
    remove_erased(database, store)
    for table in TABLES:
        archive_table(database, store, table, pace, done)
    return done


def payloads_due(database: Database, limits: Limits) -> Archived:
    """What a run would archive; nothing is changed."""
    counts = {table: due_count(database, table=table, older_than=limits.older_than) for table in TABLES}
    return Archived(events=counts["events"][0], deliveries=counts["deliveries"][0], bytes=sum(size for _, size in counts.values()))


def archive_table(database: Database, store: ObjectStore, table: Table, pace: Pace, done: Archived) -> None:
    while True:
        due = due_payloads(database, table=table, older_than=pace.limits.older_than, limit=LOOK)
        before = done.objects
        for group in grouped(table, due, max_bytes=pace.limits.max_bytes, max_members=pace.limits.max_members):
            if pace.is_over():
                done.is_complete = False
                return
            began = time.monotonic()
            archive_group(database, store, group, done)
            pace.rest(took_seconds=time.monotonic() - began)
        if done.objects == before:
            return


def archive_group(database: Database, store: ObjectStore, group: Group, done: Archived) -> None:
    """Put one object, read it back, and empty the rows."""
    archive, members = begin_archive(database, group)
    if not members:
        remove(database, store, archive)
        return
    piece = packed(members)
    store.put(archive.object_key, piece, content_type=CONTENT_TYPE)
    if unpacked(store.get(archive.object_key), key=archive.object_key) != members:
        text = f"The object store gave back something else than was put under {archive.object_key}; nothing was emptied."
        raise Permanent(text, reason="archive_damaged")
    try:
        rely_on(database, archive, table=group.table, ids=list(members))
    except RowsChanged:
        remove(database, store, archive)
        done.given_up += 1
        return
    done.count(group, size=len(piece))
    log.info("payloads_archived", archive_id=str(archive.id), table=group.table, count=len(members), bytes=len(piece))


def remove_left_behind(database: Database, store: ObjectStore) -> int:
    left = left_archives(database)
    for archive in left:
        remove(database, store, archive)
    return len(left)


def remove(database: Database, store: ObjectStore, archive: Archive) -> None:
    """Remove an archive that no row relies on, and none can any more. A run killed on the way finds the row again."""
    leave(database, archive)
    store.delete(archive.object_key)
    forget(database, archive)


def remove_erased(database: Database, store: ObjectStore) -> int:
    """Take members whose rows were erased out of their objects; how many. Safe to repeat and to be killed: they stay noted until
    their object was written without them."""
    return sum(shrink(database, store, archive_id) for archive_id in pending_archives(database))


def shrink(database: Database, store: ObjectStore, archive_id: UUID) -> int:
    with shrinking(database, archive_id) as archive:
        if archive is None:
            return 0
        kept = members_left(store, archive)
        if kept:
            piece = packed(kept)
            store.put(archive.object_key, piece, content_type=CONTENT_TYPE)
            archive.shrunk(members=len(kept), size=sum(len(data) for data in kept.values()))
        else:
            store.delete(archive.object_key)
            archive.emptied()
        return len(archive.removed)


def members_left(store: ObjectStore, archive: Shrinking) -> dict[UUID, bytes]:
    """None when the object was deleted already, by a run that was killed then."""
    try:
        members = unpacked(store.get(archive.object_key), key=archive.object_key)
    except ObjectNotFound:
        return {}
    return {one: data for one, data in members.items() if one not in archive.removed}
