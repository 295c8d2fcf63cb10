from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.postgres import TestDatabase
from zixly_core.migrate import psycopg_url
from zixly_core.tables import metadata


def differences(database: TestDatabase) -> list[Any]:
    """What Alembic would change in the database to make it look like `tables.py`."""
    engine = create_engine(psycopg_url(database.url("owner")), poolclass=NullPool)
    options = {
        "compare_type": True,
        "include_schemas": True,
        "include_name": lambda name, kind, _parents: kind != "schema" or name == "zixly",
    }
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_tables_for_queries_are_those_of_the_migrated_database(database: TestDatabase) -> None:
    assert differences(database) == []


def test_the_comparison_would_see_a_column_type_nullability_and_index_that_differ(database: TestDatabase) -> None:
    engine = create_engine(psycopg_url(database.url("owner")), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("alter table zixly.users add column surplus text"))
        connection.execute(text("alter table zixly.users alter column name drop not null"))
        connection.execute(text("alter table zixly.batches alter column job_count type bigint"))
        connection.execute(text("drop index zixly.jobs_by_age"))
    found = str(differences(database))
    for kind in ("remove_column", "modify_nullable", "modify_type", "add_index"):
        assert kind in found
