"""`python -m zixly_dagster.instance.migrate`: make or upgrade the tables of Dagster's own database."""

from __future__ import annotations

import logging
import sys

from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from zixly_core.errors import SettingsError
from zixly_core.settings import read_settings
from zixly_dagster.instance.run_counts import count_runs


def migrate(postgres_url: str) -> None:
    """Stock storages make their tables when they find none; then their own upgrades are run, and ended runs are counted."""
    runs, events, schedules = (
        PostgresRunStorage(postgres_url),
        PostgresEventLogStorage(postgres_url),
        PostgresScheduleStorage(postgres_url),
    )
    for storage in (runs, events, schedules):
        storage.upgrade()
    runs.migrate(quietly)
    runs.optimize(quietly)
    events.reindex_events(quietly)
    events.reindex_assets(quietly)
    schedules.migrate(quietly)
    schedules.optimize(quietly)
    count_runs(postgres_url)


def quietly(_: str) -> None:
    """Dagster's progress lines are for a terminal."""


def main() -> int:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        migrate(read_settings().required("dagster_database_url"))
    except SettingsError as error:
        sys.stderr.write(f"migrate: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
