"""Dagster's storage over one pooled engine for each process, with an event log that writes no unused NOTIFY and, in run workers,
many step events at once. Configured in dagster.yaml as `storage: custom`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import EventLogEntry
from dagster._config.config_schema import UserConfigSchema
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, PIPELINE_EVENTS
from dagster._core.storage.config import pg_config
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage
from dagster_postgres.utils import pg_url_from_config
from sqlalchemy import Engine

from zixly_dagster.instance.engines import shared_engine
from zixly_dagster.instance.event_buffer import EventBuffer

MODULE = "zixly_dagster.instance.storage"


class Pooled:
    """Gives a storage the process's shared engine wherever it asks for its own."""

    postgres_url: str
    _statement_timeout_ms: int | None = None

    @property
    def _engine(self) -> Engine:
        return shared_engine(self.postgres_url, statement_timeout_ms=self._statement_timeout_ms)

    @_engine.setter
    def _engine(self, made: Engine) -> None:
        """What the base class made for itself has opened nothing yet, and is not needed."""

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """The pool is there already; people's queries get their timeout (milliseconds)."""
        self._statement_timeout_ms = statement_timeout


class PooledRunStorage(Pooled, PostgresRunStorage):
    """Runs."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> PooledRunStorage:
        return cls(pg_url_from_config(config_value), should_autocreate_tables=False, inst_data=inst_data)


class PooledScheduleStorage(Pooled, PostgresScheduleStorage):
    """Schedules and sensors with their ticks."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> PooledScheduleStorage:
        return cls(pg_url_from_config(config_value), should_autocreate_tables=False, inst_data=inst_data)


class PooledEventLogStorage(Pooled, PostgresEventLogStorage):
    """Events. `keep_back` turns on the buffer: in a process that executes runs, and only there."""

    _buffer: EventBuffer | None = None

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> PooledEventLogStorage:
        return cls(pg_url_from_config(config_value), should_autocreate_tables=False, inst_data=inst_data)

    def keep_back(self) -> None:
        """From now on step events of this process are written many at once."""
        self._buffer = EventBuffer(self._insert)

    def flush(self) -> None:
        if self._buffer is not None:
            self._buffer.flush()

    def store_event(self, event: EventLogEntry) -> None:
        if is_about_assets(event):
            self.flush()
            super().store_event(event)
        elif self._buffer is not None and not is_about_the_run(event):
            self._buffer.add(event)
        else:
            self.flush()
            self._insert([event])

    def get_records_for_run(self, *args: Any, **kwargs: Any) -> Any:
        self.flush()
        return super().get_records_for_run(*args, **kwargs)

    def dispose(self) -> None:
        self.flush()
        super().dispose()

    def _insert(self, events: Sequence[EventLogEntry]) -> None:
        """One statement, one commit, and no NOTIFY: nothing has listened since Dagster polls."""
        with self._connect() as connection:
            connection.execute(self.prepare_insert_event_batch(events))


class PooledPostgresStorage(DagsterPostgresStorage):
    """All three over one engine. Tables are made by `python -m zixly_dagster.instance.migrate`, not by whoever comes first."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        self.postgres_url = postgres_url
        self.should_autocreate_tables = False
        self._inst_data = inst_data
        self._run_storage = PooledRunStorage(postgres_url, should_autocreate_tables=False)
        self._event_log_storage: PooledEventLogStorage = PooledEventLogStorage(postgres_url, should_autocreate_tables=False)
        self._schedule_storage = PooledScheduleStorage(postgres_url, should_autocreate_tables=False)
        super(DagsterPostgresStorage, self).__init__()  # type: ignore[no-untyped-call]  # the parent's own would make other storages

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return pg_config()

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> PooledPostgresStorage:
        return cls(pg_url_from_config(config_value), inst_data=inst_data)

    @property
    def event_storage_data(self) -> ConfigurableClassData | None:
        return self._data_of("PooledEventLogStorage")

    @property
    def run_storage_data(self) -> ConfigurableClassData | None:
        return self._data_of("PooledRunStorage")

    @property
    def schedule_storage_data(self) -> ConfigurableClassData | None:
        return self._data_of("PooledScheduleStorage")

    def _data_of(self, class_name: str) -> ConfigurableClassData | None:
        """How another process makes the same storage from the instance's reference."""
        return ConfigurableClassData(MODULE, class_name, self._inst_data.config_yaml) if self._inst_data else None


def is_about_the_run(event: EventLogEntry) -> bool:
    """Whether the event changes the run's status; such an event is written at once, after all before it."""
    return event.is_dagster_event and event.dagster_event_type in PIPELINE_EVENTS


def is_about_assets(event: EventLogEntry) -> bool:
    """Events that have tables of their own; stock writes them, one at a time."""
    return event.is_dagster_event and (event.dagster_event_type in ASSET_EVENTS or event.dagster_event_type in ASSET_CHECK_EVENTS)
