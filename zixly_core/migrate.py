"""`python -m zixly_core.migrate`: bring the database to this version's schema, as the owner of the tables."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from zixly_core.errors import SettingsError, Transient
from zixly_core.settings import read_settings

# Any number: two migrations at once wait for each other on it.
MIGRATION_LOCK = 7_106_001
# A request of the bridge waits for the database no longer than its provider waits for the answer; this is a part of that.
LOCK_WAIT = timedelta(seconds=2)
PAUSE_SECONDS = 1.0
TURN_SECONDS = 0.2
# As long as a backup may take: it reads every table in one transaction.
PATIENCE = timedelta(minutes=15)


def migrate(owner_url: str, *, patience: timedelta = PATIENCE) -> None:
    """Run what is missing of the migrations, each in a transaction of its own. Safe to call twice and by several processes at once.

    The old version goes on working meanwhile, and must not stand still behind a lock that we wait for: whoever waits for a table is
    waited for by all that come after. So none is waited for longer than `LOCK_WAIT`; then the migration is tried again, until
    `patience` is over. Raises `Transient` then; what was done stays.
    """
    engine = create_engine(psycopg_url(owner_url), poolclass=NullPool)
    with engine.connect() as connection:
        take_turn(connection)
        connection.execute(text(f"set lock_timeout = {LOCK_WAIT // timedelta(milliseconds=1)}"))
        connection.commit()
        deadline = time.monotonic() + patience.total_seconds()
        while not upgraded(connection):
            if time.monotonic() > deadline:
                words = f"A migration did not get its locks within {patience}: a long transaction holds them (pg_stat_activity). Try again"
                raise Transient(words, reason="migration_blocked")
            time.sleep(PAUSE_SECONDS)


def take_turn(connection: Connection) -> None:
    """Ask again and again. An index that is built beside those who write waits for every open transaction, so also for one in which
    somebody would be waiting for his turn."""
    while not connection.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK}).scalar_one():
        connection.commit()
        time.sleep(TURN_SECONDS)


def upgraded(connection: Connection) -> bool:
    """False when a lock was not to be had."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        connection.rollback()
        if isinstance(error.orig, LockNotAvailable):
            return False
        raise
    connection.commit()
    return True


def psycopg_url(url: str) -> str:
    """A plain `postgresql://` URL with SQLAlchemy's name of our driver (psycopg 3)."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in {"postgresql", "postgres"} else url


def main() -> int:
    try:
        migrate(read_settings().required("database_url_owner"))
    except SettingsError as error:
        sys.stderr.write(f"migrate: {error}\n")
        return 2
    except Transient as error:
        sys.stderr.write(f"migrate: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
