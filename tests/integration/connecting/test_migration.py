"""Tokens that were kept before grants existed go on working."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

import zixly_core
from tests.integration.tokens.kept import BOX, store_over
from tests.support.postgres import RunningPostgres, TestDatabase
from zixly_cli.stack import databases
from zixly_core.ids import new_id
from zixly_core.migrate import migrate, psycopg_url
from zixly_core.token_store import Connection, TokenSet, packed

pytestmark = pytest.mark.integration

TOKENS = TokenSet("access-0", "refresh-0", None)


@pytest.fixture
def released(postgres_server: RunningPostgres) -> Iterator[TestDatabase]:
    """A database as the first release left it."""
    name = f"released_{new_id().hex}"
    databases.make_database(postgres_server.admin_url, name=name, owner=databases.OWNER)
    made = TestDatabase(server=postgres_server, name=name)
    config = Config()
    config.set_main_option("script_location", str(Path(zixly_core.__file__).parent / "migrations"))
    engine = create_engine(psycopg_url(made.url()), poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
    yield made
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")


def test_each_connections_secret_becomes_its_grant_and_still_opens(released: TestDatabase) -> None:
    connection = Connection(id=new_id(), tenant_id=new_id(), system="xero", external_id="org")
    without = new_id()
    with psycopg.connect(released.url()) as owner:
        owner.execute("insert into zixly.tenants (id, slug, name) values (%s, 'demo', 'Demo')", (connection.tenant_id,))
        for connection_id, account in ((connection.id, "org"), (without, "other")):
            owner.execute(
                "insert into zixly.connections (id, tenant_id, system, external_id, name) values (%s, %s, 'xero', %s, 'C')",
                (connection_id, connection.tenant_id, account),
            )
        sealed = BOX.seal(packed(TOKENS), context=str(connection.id))
        owner.execute(
            "insert into zixly.connection_secrets (connection_id, tenant_id, ciphertext, version) values (%s, %s, %s, 7)",
            (connection.id, connection.tenant_id, sealed),
        )
    migrate(released.url())
    stored = store_over(released.url("runs")).read(connection)
    assert (stored.tokens, stored.version, stored.is_disconnected) == (TOKENS, 7, False)
    with psycopg.connect(released.url()) as owner:
        assert owner.execute("select grant_id from zixly.connections where id = %s", (without,)).fetchone() == (None,)
