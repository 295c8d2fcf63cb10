"""One connection of the server for everybody: what a transaction was allowed to see does not stay for whoever comes next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.ledger import TestLedger
from tests.support.pgbouncer import SETTINGS, bouncer
from tests.support.postgres import RunningPostgres, TestDatabase
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import Scope, scoped

ROOT = Path(__file__).parents[3]
SERVER_SQL = "select pg_backend_pid() as pid, count(*) as seen from zixly.workflow_jobs"
Clients = tuple[Database, Database]


@pytest.fixture
def narrow(postgres_server: RunningPostgres, tmp_path: Path, database: TestDatabase) -> Iterator[TestDatabase]:
    with bouncer(postgres_server, tmp_path, pool_size=1) as running:
        yield replace(database, server=running)


def clients(database: TestDatabase, role: str) -> Clients:
    return Database(database.url(role), name="first"), Database(database.url(role), name="second")


def seen(database: Database) -> dict[str, int]:
    with database.transaction() as connection:
        return dict(connection.execute(SERVER_SQL).fetchone() or {})


@pytest.mark.parametrize("role", ["runs", "api"])
def test_the_next_client_of_a_connection_sees_nothing_of_the_tenant_before(ledger: TestLedger, narrow: TestDatabase, role: str) -> None:
    ledger.add_jobs(1)
    first, second = clients(narrow, role)
    with first.transaction(tenant_id=ledger.tenant.id) as connection:
        before = dict(connection.execute(SERVER_SQL).fetchone() or {})
    after = seen(second)
    assert (before["seen"], after["seen"]) == (1, 0)
    assert before["pid"] == after["pid"], "the two did not share a connection, so this proves nothing"
    first.close()
    second.close()


def test_neither_does_it_after_a_transaction_that_failed(ledger: TestLedger, narrow: TestDatabase) -> None:
    ledger.add_jobs(1)
    first, second = clients(narrow, "api")
    before: list[dict[str, int]] = []
    with suppress(ZeroDivisionError), scoped(first, Scope(tenant_id=None)) as connection:
        before += [dict(row) for row in connection.execute(SERVER_SQL)]
        raise ZeroDivisionError
    after = seen(second)
    assert (before[0]["seen"], after["seen"], before[0]["pid"]) == (1, 0, after["pid"])
    first.close()
    second.close()


def test_what_the_docs_say_about_pgbouncer_is_what_is_tested() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert [line for line in SETTINGS.splitlines() if line not in text] == []
