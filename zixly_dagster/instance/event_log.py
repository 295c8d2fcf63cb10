"""The event log: no NOTIFY that nobody listens to and, while a run executes here, many step events in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from dagster import EventLogEntry
from dagster_postgres.event_log import PostgresEventLogStorage
from sqlalchemy.engine import Connection

from zixly_dagster.instance.event_buffer import EventBuffer
from zixly_dagster.instance.interrupts import interrupts_deferred
from zixly_dagster.instance.pooled import Pooled
from zixly_dagster.instance.private_names import ASSET_CHECK_EVENTS, ASSET_EVENTS, PIPELINE_EVENTS, SqlEventLogStorageTable

Row = dict[str, Any]


class PooledEventLogStorage(Pooled, PostgresEventLogStorage):
    """Made by dagster.yaml; see `PooledPostgresStorage`. What a process wrote it also reads: before a read, kept events are written."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._buffers: dict[str, EventBuffer[Row]] = {}
        super().__init__(*arguments, **named)

    @contextmanager
    def keeping_back(self, run_id: str) -> Iterator[None]:
        """Within, this run's step events are written many at once. Only for the process that executes the run."""
        buffer = EventBuffer(self._insert)
        self._buffers[run_id] = buffer
        try:
            with buffer:
                yield
        finally:
            del self._buffers[run_id]

    def flush(self) -> None:
        for buffer in list(self._buffers.values()):
            buffer.flush()

    def store_event(self, event: EventLogEntry) -> None:
        """Keep the event back or write it. A change of the run's status is written at once, after all that came before it."""
        buffer = self._buffers.get(event.run_id)
        if is_about_assets(event):
            self.flush()
            super().store_event(event)
        elif buffer is None:
            self._insert([self._event_to_row(event)])
        else:
            buffer.add(self._event_to_row(event))
            if is_about_the_run(event):
                buffer.flush()

    def run_connection(self, run_id: str | None = None) -> AbstractContextManager[Connection]:
        self.flush()
        connection: AbstractContextManager[Connection] = super().run_connection(run_id)
        return connection

    def index_connection(self) -> AbstractContextManager[Connection]:
        self.flush()
        connection: AbstractContextManager[Connection] = super().index_connection()
        return connection

    def has_table(self, table_name: str) -> bool:
        """All tables are there since the migration."""
        return True

    def _insert(self, rows: Sequence[Row]) -> None:
        """One statement and one commit, with ids in the order of the rows. A run that is interrupted meanwhile hears of it
        afterwards, so that no event is written twice."""
        with interrupts_deferred(), self._connect() as connection:
            connection.execute(SqlEventLogStorageTable.insert(), list(rows))


def is_about_the_run(event: EventLogEntry) -> bool:
    """Whether the event changes the run's status."""
    return event.is_dagster_event and event.dagster_event_type in PIPELINE_EVENTS


def is_about_assets(event: EventLogEntry) -> bool:
    """Events that have tables of their own; stock writes them, one at a time."""
    return event.is_dagster_event and (event.dagster_event_type in ASSET_EVENTS or event.dagster_event_type in ASSET_CHECK_EVENTS)
