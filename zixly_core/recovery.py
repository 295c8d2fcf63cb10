"""Make good for a hole: read what changed at the source within it, and make jobs for what no job of ours covers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid5

from zixly_core.changes import ChangedRecord, ChangeReader, Window
from zixly_core.holes import Hole, window_of
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.database import Database
from zixly_core.stores.holes import note_recovered, uncovered
from zixly_core.stores.new_jobs import JobToMake, make_jobs
from zixly_core.stores.watching import WatchedWorkflow


@dataclass(frozen=True)
class Readable:
    """A workflow about a connection's records, with what reads those that changed."""

    workflow: WatchedWorkflow
    reader: ChangeReader


@dataclass(frozen=True)
class Missed:
    """A record that changed without a job of ours knowing."""

    workflow: WatchedWorkflow
    key: str
    record: ChangedRecord


class Recovery:
    """What may be recovered of one connection, as role `runs`. Methods raise what reading the source raises."""

    def __init__(self, database: Database, connection: ConfiguredConnection, readable: Sequence[Readable]) -> None:
        self._database = database
        self._connection = connection
        self._readable = readable

    def missed(self, window: Window) -> Iterator[Missed]:
        """What changed within the window and no job covers."""
        for read, page in self._pages(window):
            yield from self._uncovered(read.workflow, page)

    def recover(self, hole: Hole, *, to: datetime) -> int:
        """Make the jobs that are missing up to a moment; how many. A second time it makes none: they are known by the hole, the record
        and the moment of its change."""
        window = window_of(hole, now=to)
        objects = jobs = 0
        for read, page in self._pages(window):
            missed = self._uncovered(read.workflow, page)
            with self._database.transaction(tenant_id=self._connection.tenant_id) as rows:
                jobs += make_jobs(rows, [self._job(hole, one) for one in missed], unless_waiting=True).count
            objects += sum(hole.recovered_to is None or one.changed_at >= hole.recovered_to for one in page)
        with self._database.transaction(tenant_id=self._connection.tenant_id) as rows:
            note_recovered(rows, hole, to=to, objects=objects, jobs=jobs)
        return jobs

    def _pages(self, window: Window) -> Iterator[tuple[Readable, Sequence[ChangedRecord]]]:
        for read in self._readable:
            for page in read.reader.changed(window):
                yield read, page

    def _uncovered(self, workflow: WatchedWorkflow, page: Sequence[ChangedRecord]) -> list[Missed]:
        keyed = [(self._key(workflow, record), record) for record in page]
        with self._database.transaction(tenant_id=self._connection.tenant_id) as rows:
            found = uncovered(rows, keyed, tenant_id=self._connection.tenant_id, workflow=workflow.name)
        return [Missed(workflow, key, record) for key, record in found]

    def _key(self, workflow: WatchedWorkflow, record: ChangedRecord) -> str:
        return str(workflow.record_form).format(account=self._connection.external_id, id=record.record_id)

    def _job(self, hole: Hole, missed: Missed) -> JobToMake:
        return JobToMake(
            tenant_id=self._connection.tenant_id,
            connection_id=self._connection.id,
            workflow=missed.workflow.name,
            system=self._connection.system,
            record_key=missed.key,
            record_id=missed.record.record_id,
            occurred_at=missed.record.changed_at,
            origin="backfill",
            made_by=hole.id,
            trigger={"kind": "hole"},
            priority=missed.workflow.priority,
            id=uuid5(hole.id, f"{missed.workflow.name}:{missed.key}:{missed.record.changed_at.isoformat()}"),
        )
