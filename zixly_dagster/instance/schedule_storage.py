"""Schedules and sensors with their ticks. Does not look tables up that are there, nor purge old ticks after each single tick."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from dagster_postgres.schedule_storage import PostgresScheduleStorage
from sqlalchemy.engine import Connection

from zixly_dagster.instance.pooled import Pooled
from zixly_dagster.instance.private_names import InstigatorState, deserialize_value

# A sensor that ticks every second would otherwise delete every second, once for each retention of dagster.yaml.
PURGE_EVERY = timedelta(minutes=10)
# More than there are sensors and schedules; each tick gives one of them another text.
TEXTS_KEPT = 256


class PooledScheduleStorage(Pooled, PostgresScheduleStorage):
    """Made by dagster.yaml; see `PooledPostgresStorage`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._purged: dict[tuple[str, tuple[Any, ...]], float] = {}
        self._built: set[str] = set()
        super().__init__(*arguments, **named)

    def purge_ticks(self, origin_id: str, selector_id: str, before: float, tick_statuses: Sequence[Any] | None = None) -> None:
        """The first call for a sensor purges, and then one every ten minutes."""
        key = (selector_id, tuple(tick_statuses or ()))
        now = time.monotonic()
        if now - self._purged.get(key, -PURGE_EVERY.total_seconds()) < PURGE_EVERY.total_seconds():
            return
        self._purged[key] = now
        super().purge_ticks(origin_id, selector_id, before, list(tick_statuses) if tick_statuses else None)

    def _deserialize_rows(self, rows: Sequence[Any], as_type: type[Any]) -> Sequence[Any]:
        """What a text says stays. The daemon reads the states of all sensors five times a second, a fifth of its work; few have changed."""
        return [read_state(row[0]) for row in rows] if as_type is InstigatorState else super()._deserialize_rows(rows, as_type)

    def has_secondary_index_table(self) -> bool:
        return True

    def has_built_index(self, migration_name: str) -> bool:
        """What was built stays; the daemon asked Postgres several times in each tick, a twentieth of its work."""
        if migration_name not in self._built and super().has_built_index(migration_name):
            self._built.add(migration_name)
        return migration_name in self._built

    def has_instigators_table(self) -> bool:
        return True

    def _has_instigators_table(self, conn: Connection) -> bool:
        return True

    def _has_asset_daemon_asset_evaluations_table(self, conn: Connection) -> bool:
        return True


@lru_cache(maxsize=TEXTS_KEPT)
def read_state(text: str) -> InstigatorState:
    """Such a state cannot be changed, so all who read the same text may have the same one."""
    return deserialize_value(text, InstigatorState)
