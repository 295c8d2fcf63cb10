"""A database of the version before, full and in use, becomes one of this version while the version before goes on writing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.integration.upgrading.filling import Filler, rows_by_table
from tests.support.busy import longest
from tests.support.postgres import RunningPostgres, TestDatabase
from zixly_cli.stack import databases
from zixly_core import migrations
from zixly_core.errors import Transient
from zixly_core.ids import new_id
from zixly_core.migrate import LOCK_WAIT, migrate, psycopg_url
from zixly_core.stores.database import Database
from zixly_core.stores.handover import HandoverLimits, hand_over

pytestmark = pytest.mark.integration

# One of them (0025) has to have the deliveries to itself, which everybody writes.
BEHIND = 7
MANY = 20_000
# A provider waits five seconds for its answer.
STOOD_STILL = timedelta(seconds=1)
ONE = HandoverLimits(max_open_batches=100, slots=1, max_batch=10)
# What the types and closed sets of the columns do not say.
GIVEN: dict[str, dict[str, Any]] = {
    "grants": {"ciphertext": b"sealed"},
    "notifications": {"kind": "test"},
    "workflows": {"name": "xero-invoice-to-hubspot", "system": "xero"},
}
FOLDER = str(Path(str(migrations.__file__)).parent)
# What a bridge of the version before writes, by the columns that it knew.
DELIVERY_SQL = """
insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256, event_count)
values (%(delivery)s, 'xero', 'xero', now(), 'accepted', 200, '{}', 'x', sha256(%(key)s::bytea), 1)"""
EVENT_SQL = """
insert into zixly.events (id, delivery_id, tenant_id, connection_id, system, kind, external_id, record_key, record_id, dedupe_key,
  outcome, occurred_at, received_at)
values (%(event)s, %(delivery)s, %(tenant)s, %(connection)s, 'xero', 'INVOICE.UPDATE', 'org', %(key)s, %(key)s, %(key)s,
  'jobs', now(), now())"""
JOB_SQL = """
insert into zixly.workflow_jobs (id, tenant_id, connection_id, event_id, workflow_type, system, record_key, record_id, occurred_at)
values (%(job)s, %(tenant)s, %(connection)s, %(event)s, 'xero-invoice-to-hubspot', 'xero', %(key)s, %(key)s, now())"""
MORE_EVENTS_SQL = """
insert into zixly.events (id, delivery_id, tenant_id, connection_id, system, kind, external_id, record_key, record_id, dedupe_key,
  outcome, occurred_at, received_at)
select gen_random_uuid(), e.delivery_id, e.tenant_id, e.connection_id, 'xero', 'INVOICE.UPDATE', 'org', 'r' || n, 'r' || n, 'k' || n,
  'jobs', now(), now()
from (select * from zixly.events limit 1) e, generate_series(1, %s) n"""


def revisions() -> list[str]:
    """Oldest first."""
    return [script.revision for script in ScriptDirectory(FOLDER).walk_revisions()][::-1]


@pytest.fixture
def before(postgres_server: RunningPostgres) -> Iterator[TestDatabase]:
    """A database as it was some migrations ago."""
    name = f"before_{new_id().hex}"
    databases.make_database(postgres_server.admin_url, name=name, owner=databases.OWNER)
    made = TestDatabase(server=postgres_server, name=name)
    config = Config()
    config.set_main_option("script_location", FOLDER)
    engine = create_engine(psycopg_url(made.url()), poolclass=NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions()[-1 - BEHIND])
        connection.commit()
    yield made
    with psycopg.connect(postgres_server.admin_url, autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")


@dataclass
class OldBridge:
    """A bridge of the version before, which goes on writing; `longest_wait` is how long one delivery took at most."""

    url: str
    tenant: Any
    connection: Any
    written: int = 0
    longest_wait: float = 0.0
    problems: list[Exception] = field(default_factory=list)

    def write(self, connection: psycopg.Connection[Any]) -> None:
        began = time.monotonic()
        ids = {name: new_id() for name in ("delivery", "event", "job")}
        with connection.transaction():
            for query in (DELIVERY_SQL, EVENT_SQL, JOB_SQL):
                connection.execute(query, {**ids, "key": str(ids["event"]), "tenant": self.tenant, "connection": self.connection})
        self.written += 1
        self.longest_wait = max(self.longest_wait, time.monotonic() - began)

    @contextmanager
    def writing(self) -> Iterator[None]:
        over = threading.Event()

        def go_on() -> None:
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    while not over.wait(0.005):
                        self.write(connection)
            except psycopg.Error as error:
                self.problems.append(error)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.fixture
def full(before: TestDatabase) -> dict[str, int]:
    """A row for every state in every table, and many events; how many each table has."""
    with psycopg.connect(before.url("postgres"), autocommit=True) as superuser:
        filler = Filler(superuser, given=GIVEN)
        filler.fill()
        superuser.execute(MORE_EVENTS_SQL, (MANY,))
        rows = rows_by_table(superuser, filler.tables)
    assert not [table for table, count in rows.items() if not count]
    return rows


@pytest.fixture
def bridge(before: TestDatabase, full: dict[str, int]) -> OldBridge:
    with psycopg.connect(before.url("postgres")) as superuser:
        row = superuser.execute("select id, tenant_id from zixly.connections").fetchone()
    assert row is not None
    return OldBridge(before.url("intake"), tenant=row[1], connection=row[0])


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + longest(30)
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_full_database_in_use_becomes_one_of_this_version_and_the_old_version_goes_on_writing(
    before: TestDatabase, full: dict[str, int], bridge: OldBridge
) -> None:
    with bridge.writing():
        until(lambda: bridge.written > 10)
        migrate(before.url())
        written = bridge.written
        until(lambda: bridge.written > written + 10)
    assert bridge.problems == [], "the schema of this version takes what the version before writes"
    assert bridge.longest_wait < longest(STOOD_STILL.total_seconds())
    with psycopg.connect(before.url("postgres")) as superuser:
        rows = rows_by_table(superuser, list(full))
        made = (rows[table] - count for table, count in full.items() if table in ("deliveries", "events", "workflow_jobs"))
        assert set(made) == {bridge.written}
        assert {table for table, count in full.items() if rows[table] < count} == set()
        statuses = superuser.execute("select array_agg(distinct status order by status) from zixly.workflow_jobs").fetchone()
    assert statuses == (["CANCELLED", "COMPLETED", "FAILED", "QUEUED", "RUNNING"],)
    this_version_works(before)


def this_version_works(database: TestDatabase) -> None:
    """What was queued by the version before is handed over."""
    dispatch = Database(database.url("dispatch"), name="dispatch")
    try:
        assert [batch.workflow for batch in hand_over(dispatch, system="xero", limits=ONE)] == ["xero-invoice-to-hubspot"]
    finally:
        dispatch.close()


def test_a_long_transaction_holds_up_the_migration_and_nobody_else(before: TestDatabase, bridge: OldBridge) -> None:
    """As a backup does, which reads every table in one. A migration that waited for it would have everybody wait behind it."""
    with psycopg.connect(before.url("postgres")) as backup, bridge.writing():
        backup.execute("select from zixly.deliveries limit 1")
        migrating = threading.Thread(target=migrate, args=(before.url(),))
        migrating.start()
        until(lambda: somebody_waits_for_a_table(before))
        written = bridge.written
        until(lambda: bridge.written > written + 10)
        assert migrating.is_alive(), "it cannot have got its lock"
        backup.rollback()
        migrating.join(timeout=longest(60))
        assert not migrating.is_alive()
    assert bridge.problems == []
    assert bridge.longest_wait < LOCK_WAIT.total_seconds() + longest(1)


def somebody_waits_for_a_table(database: TestDatabase) -> bool:
    query = "select from pg_locks l join pg_database d on d.oid = l.database where not granted and datname = %s and locktype = 'relation'"
    with psycopg.connect(database.server.admin_url) as superuser:
        return superuser.execute(query, (database.name,)).fetchone() is not None


def test_a_migration_that_never_gets_its_locks_says_so_and_changes_nothing(before: TestDatabase, full: dict[str, int]) -> None:
    with psycopg.connect(before.url("postgres")) as backup:
        backup.execute("lock table zixly.job_counters in access share mode; select from zixly.deliveries limit 1")
        with pytest.raises(Transient, match="a long transaction holds them"):
            migrate(before.url(), patience=timedelta())
    with psycopg.connect(before.url("postgres")) as superuser:
        assert superuser.execute("select version_num from alembic_version").fetchone() == (revisions()[-1 - BEHIND],)
    migrate(before.url())


def test_whoever_waits_for_his_turn_to_migrate_holds_up_nobody_who_has_it(before: TestDatabase) -> None:
    """An index that is built beside the writers waits for all open transactions; a turn that is waited for must not be one."""
    with ThreadPoolExecutor(max_workers=3) as several:
        for done in [several.submit(migrate, before.url(), patience=timedelta(seconds=longest(30))) for _ in range(3)]:
            done.result()
    with psycopg.connect(before.url("postgres")) as superuser:
        found = superuser.execute("select count(*), count(*) filter (where indisvalid) from pg_index").fetchone()
        version = superuser.execute("select version_num from alembic_version").fetchone()
    assert found is not None
    assert (found[0], version) == (found[1], (revisions()[-1],)), "every index is whole"
