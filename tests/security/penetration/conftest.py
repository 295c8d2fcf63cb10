"""The bridge as it faces the internet, in production over real Postgres and Valkey, for everybody who attacks it here."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.security.attacker import MARKER, WORDS_OF_INSIDES, Attacker, attacked
from tests.support.ledger import ORGANISATION, WORKFLOW, TestLedger
from tests.support.postgres import TEMPLATE, RunningPostgres, TestDatabase
from tests.support.servers import ValkeyServer
from zixly_cli.stack import databases
from zixly_core.stores.database import Database


@pytest.fixture(scope="package")
def prey(postgres_server: RunningPostgres) -> Iterator[TestDatabase]:
    """A database with a client's connections and jobs."""
    name = f"penetration_{os.getpid()}"
    databases.make_database(postgres_server.admin_url, name=name, owner=databases.OWNER, template=TEMPLATE)
    database = TestDatabase(server=postgres_server, name=name)
    dispatch, runs = Database(database.url("dispatch"), name="dispatch"), Database(database.url("runs"), name="runs")
    with psycopg.connect(database.url("owner"), autocommit=True, row_factory=dict_row) as owner:
        ledger = TestLedger(owner=owner, dispatch=dispatch, runs=runs)
        ledger.add_tenant("prey", organisation=ORGANISATION)
        owner.execute(
            "insert into zixly.workflows (name, system, title, triggers, max_batch) values (%s, 'xero', 'Invoices', %s, 80)",
            (WORKFLOW, ["xero:INVOICE.CREATE", "xero:INVOICE.UPDATE"]),
        )
        ledger.add_jobs(2)
    yield database
    dispatch.close()
    runs.close()
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="package")
def target(prey: TestDatabase, valkey_server: ValkeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacker]:
    """One bridge for all that is tried; at the end, whatever it said or wrote is searched."""
    log = tmp_path_factory.mktemp("attacked") / "bridge.log"
    with attacked(prey, log, queue_url=valkey_server.url) as attacker:
        yield attacker
    assert not [text[:300] for text in (*attacker.heard, log.read_text()) if MARKER in text], "a secret was said"
    assert not [text[:300] for text in attacker.heard if WORDS_OF_INSIDES.search(text)], "insides were shown"
