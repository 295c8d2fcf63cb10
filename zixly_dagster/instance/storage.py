"""Dagster's storage as dagster.yaml names it: runs, events and schedules over one pooled engine for each process.

Connections: a process holds as many as it has threads that query at one moment, up to `POOL_SIZE + MAX_OVERFLOW` of engines.py, and
keeps at most `POOL_SIZE` of them. A worker's child executes one run at a time and so holds one or two. With the embedded stack
(webserver, code server, daemon, two workers of two) that is 12 to 20 connections at rest and below 70 at the peak.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config

from zixly_dagster.instance.event_log import PooledEventLogStorage
from zixly_dagster.instance.private_names import ConfigurableClassData, UserConfigSchema, pg_config
from zixly_dagster.instance.run_storage import PooledRunStorage
from zixly_dagster.instance.schedule_storage import PooledScheduleStorage


class PooledPostgresStorage(DagsterPostgresStorage):
    """Configured as `storage: custom`, with `postgres_url` (`postgresql+psycopg2://`: SQLAlchemy reads a bare `postgresql://` as
    psycopg 3, which dagster-postgres does not speak)."""

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        self.postgres_url = postgres_url
        self.should_autocreate_tables = False
        self._inst_data = inst_data
        self._run_storage = PooledRunStorage(postgres_url, should_autocreate_tables=False)
        self._event_log_storage = PooledEventLogStorage(postgres_url, should_autocreate_tables=False)
        self._schedule_storage = PooledScheduleStorage(postgres_url, should_autocreate_tables=False)
        super(DagsterPostgresStorage, self).__init__()  # type: ignore[no-untyped-call]  # the parent would make other storages

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return pg_config()

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> PooledPostgresStorage:
        return cls(pg_url_from_config(config_value), inst_data=inst_data)

    @property
    def event_storage_data(self) -> ConfigurableClassData | None:
        return self._data_of(PooledEventLogStorage)

    @property
    def run_storage_data(self) -> ConfigurableClassData | None:
        return self._data_of(PooledRunStorage)

    @property
    def schedule_storage_data(self) -> ConfigurableClassData | None:
        return self._data_of(PooledScheduleStorage)

    def _data_of(self, storage: type) -> ConfigurableClassData | None:
        """How another process makes the same storage from the instance's reference."""
        if self._inst_data is None:
            return None
        return ConfigurableClassData(storage.__module__, storage.__qualname__, self._inst_data.config_yaml)
