from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.stores.database import Database
from zixly_core.stores.delivery_search import DeliveryFilter, deliveries_page
from zixly_core.stores.jobs_view import JobFilter, Page, Scope, job_detail, jobs_page, scoped


@pytest.mark.parametrize(
    ("role", "query"),
    [
        ("intake", "select body from zixly.deliveries"),
        ("intake", "select payload from zixly.events"),
        ("intake", "select result from zixly.workflow_jobs"),
        ("intake", "select settings from zixly.connections"),
        ("intake", "select ciphertext from zixly.grants"),
        ("intake", "delete from zixly.deliveries"),
        ("dispatch", "select payload from zixly.events"),
        ("dispatch", "select ciphertext from zixly.grants"),
        ("dispatch", "select execution_log from zixly.workflow_jobs"),
        ("runs", "select body from zixly.deliveries"),
        ("runs", "select ciphertext from zixly.signing_secrets"),
        ("metrics", "select record_id from zixly.workflow_jobs"),
        ("metrics", "select body from zixly.deliveries"),
        ("api", "select ciphertext from zixly.grants"),
        ("api", "update zixly.grants set ciphertext = null"),
        ("api", "update zixly.connections set tenant_id = id"),
        ("metrics", "select ciphertext from zixly.grants"),
        ("runs", "select verifier from zixly.oauth_states"),
        ("api", "select ciphertext from zixly.signing_secrets"),
        ("api", "delete from zixly.audit_log"),
        ("api", "update zixly.audit_log set actor = 'nobody'"),
        ("metrics", "update zixly.job_counters set value = 0"),
        ("retention", "delete from zixly.audit_log"),
        ("retention", "update zixly.audit_log set actor = 'nobody'"),
        ("retention", "update zixly.workflow_jobs set status = 'COMPLETED'"),
        ("retention", "select ciphertext from zixly.signing_secrets"),
        ("retention", "select ciphertext from zixly.grants"),
        ("retention", "select tokens from zixly.oauth_states"),
        ("retention", "delete from zixly.tenants"),
    ],
)
def test_a_role_cannot_read_or_change_what_it_has_no_business_with(database: TestDatabase, role: str, query: str) -> None:
    with psycopg.connect(database.url(role)) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(query)


def test_a_run_of_one_tenant_sees_and_changes_nothing_of_another(ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    ledger.add_jobs(2)
    (theirs,) = ledger.add_jobs(1, tenant=other)
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection:
        seen = connection.execute("select tenant_id from zixly.workflow_jobs").fetchall()
        changed = connection.execute("update zixly.workflow_jobs set result = '{}' where id = %s", (theirs,)).rowcount
        connections = connection.execute("select tenant_id from zixly.connections").fetchall()
    assert {row["tenant_id"] for row in seen + connections} == {ledger.tenant.id}
    assert (len(seen), changed) == (2, 0)


def test_a_run_cannot_write_a_row_for_another_tenant(ledger: TestLedger) -> None:
    other = ledger.add_tenant("other")
    values = (new_id(), other.id, "run", "x", "x")
    with (
        pytest.raises(errors.InsufficientPrivilege),
        ledger.runs.transaction(tenant_id=ledger.tenant.id) as connection,
    ):
        connection.execute("insert into zixly.audit_log (id, tenant_id, actor, action, subject) values (%s, %s, %s, %s, %s)", values)


@pytest.mark.parametrize("table", ["workflow_jobs", "connections", "tenants", "events", "batches"])
def test_without_a_tenant_a_run_sees_nothing(ledger: TestLedger, table: str) -> None:
    ledger.add_jobs(1)
    with ledger.runs.transaction() as connection:
        assert connection.execute(f"select 1 from zixly.{table}").fetchall() == []


def test_only_the_role_of_the_api_gets_the_staff_scope(ledger: TestLedger) -> None:
    ledger.add_jobs(1)
    with ledger.runs.transaction() as connection:
        connection.execute("select set_config('app.scope', 'all', true)")
        assert connection.execute("select 1 from zixly.workflow_jobs").fetchall() == []


def test_every_table_has_row_level_security_even_for_its_owner(ledger: TestLedger) -> None:
    open_tables = ledger.owner.execute(
        "select relname from pg_class where relnamespace = 'zixly'::regnamespace and relkind in ('r', 'p') "
        "and not (relrowsecurity and relforcerowsecurity)"
    ).fetchall()
    assert open_tables == []


def test_no_role_bypasses_row_level_security_or_owns_a_table(ledger: TestLedger) -> None:
    roles: list[dict[str, Any]] = ledger.owner.execute(
        "select r.rolname from pg_roles r where rolname in ('zixly_intake', 'zixly_api', 'zixly_dispatch', 'zixly_runs', "
        "'zixly_metrics', 'zixly_retention') and (r.rolbypassrls or r.rolsuper or exists (select from pg_class c where c.relowner = r.oid))"
    ).fetchall()
    assert roles == []


@pytest.fixture
def api(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("api"), name="api")
    yield opened
    opened.close()


def test_a_tenants_scope_shows_its_jobs_and_no_deliveries(ledger: TestLedger, api: Database) -> None:
    other = ledger.add_tenant("other")
    (mine,) = ledger.add_jobs(1)
    (theirs,) = ledger.add_jobs(1, tenant=other)
    with scoped(api, Scope(tenant_id=ledger.tenant.id)) as connection:
        assert [job["id"] for job in jobs_page(connection, wanted=JobFilter(), page=Page(limit=10))] == [mine]
        assert jobs_page(connection, wanted=JobFilter(tenant="other"), page=Page(limit=10)) == []
        assert job_detail(connection, theirs) is None
        assert deliveries_page(connection, DeliveryFilter(), page=Page(limit=10)) == []


def test_a_scope_ends_with_its_transaction(ledger: TestLedger, database: TestDatabase) -> None:
    """Connections are pooled; what one request may see must not stay with the connection."""
    ledger.add_jobs(1)
    pooled = Database(database.url("api"), name="api", max_size=1)
    with scoped(pooled, Scope(tenant_id=None)) as connection:
        assert len(jobs_page(connection, wanted=JobFilter(), page=Page(limit=10))) == 1
    with pooled.transaction() as connection:
        assert connection.execute("select 1 from zixly.workflow_jobs").fetchall() == []
    pooled.close()
