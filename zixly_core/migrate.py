"""`python -m zixly_core.migrate`: bring the database to this version's schema, as the owner of the tables."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from zixly_core.errors import SettingsError
from zixly_core.settings import read_settings

# Any number: two migrations at once wait for each other on it.
MIGRATION_LOCK = 7_106_001


def migrate(owner_url: str) -> None:
    """Run what is missing of the migrations. Safe to call twice and by several processes at once."""
    engine = create_engine(psycopg_url(owner_url), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        connection.commit()
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


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
    return 0


if __name__ == "__main__":
    sys.exit(main())
