from __future__ import annotations

from typing import Any

import psycopg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.support.postgres import TestDatabase
from zixly_core.migrate import psycopg_url
from zixly_core.personal_data import TABLES
from zixly_core.sealed_columns import NOT_SEALED, SEALED
from zixly_core.tables import metadata

# Ids, moments, numbers, yes and no: nobody's data.
PLAIN_TYPES = (
    "uuid,timestamp with time zone,time without time zone,date,interval,integer,smallint,bigint,double precision,numeric,boolean".split(",")
)
BYTES_SQL = """
select table_name || '.' || column_name from information_schema.columns where table_schema = 'zixly' and data_type = 'bytea'"""
RISKY_SQL = "select table_name, column_name from information_schema.columns where table_schema = 'zixly' and data_type <> all(%s)"


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


def columns_that_could_hold_personal_data(database: TestDatabase) -> set[str]:
    with psycopg.connect(database.url("owner")) as connection:
        return {f"{table}.{column}" for table, column in connection.execute(RISKY_SQL, (PLAIN_TYPES,))}


def test_every_column_of_text_json_or_bytes_is_classified(database: TestDatabase) -> None:
    """So that nobody forgets that export and erasure of a tenant have to know it."""
    classified = {f"{table}.{column}" for table, held in TABLES.items() for column in held.columns}
    risky = columns_that_could_hold_personal_data(database)
    assert sorted(risky - classified) == [], "say in zixly_core/personal_data.py what these columns hold"
    assert sorted(classified - risky) == [], "zixly_core/personal_data.py names columns that are not there"
    with psycopg.connect(database.url("owner")) as connection:
        connection.execute("alter table zixly.batches add column remark text")
    assert columns_that_could_hold_personal_data(database) - classified == {"batches.remark"}


def test_every_column_of_bytes_is_among_the_sealed_or_known_to_be_none(database: TestDatabase) -> None:
    """So that nobody adds a sealed column that a change of key would leave behind."""
    with psycopg.connect(database.url("owner")) as connection:
        found = {name for (name,) in connection.execute(BYTES_SQL)}
    assert found == {sealed.name for sealed in SEALED} | NOT_SEALED, "say in zixly_core/sealed_columns.py what the column is"
