"""A run for one tenant, through the real connection of its role: no row and no token of another, whatever text it is handed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from tests.integration.operations.planting import Planter
from tests.support.ledger import HOUR, LEASE, Tenant, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.stores.audit import note
from zixly_core.stores.claims import RunIdentity, take_or_renew
from zixly_core.stores.database import Rows

WORD = "zx-planted-of-the-other"
READABLE_SQL = """
select distinct table_name as name from information_schema.column_privileges
where grantee = %s and table_schema = 'zixly' and privilege_type = 'SELECT' order by 1"""
COLUMNS_SQL = """
select column_name as name from information_schema.column_privileges
where grantee = %s and table_schema = 'zixly' and privilege_type = 'SELECT' and table_name = %s"""


@pytest.fixture
def other(ledger: TestLedger) -> Tenant:
    tenant = ledger.add_tenant("other")
    Planter(ledger, tenant, WORD).plant_all()
    return tenant


def readable(ledger: TestLedger, role: str) -> dict[str, list[str]]:
    """Every table that the role may read, with the columns."""
    tables = [row["name"] for row in ledger.owner.execute(READABLE_SQL, (role,)).fetchall()]
    return {table: [row["name"] for row in ledger.owner.execute(COLUMNS_SQL, (role, table)).fetchall()] for table in tables}


def as_text(rows: Rows, table: str, columns: list[str]) -> str:
    found = rows.execute(f"select {', '.join(columns)} from zixly.{table}").fetchall()
    return " ".join(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for row in found for value in row.values())


def hostile(tenant: UUID) -> list[str]:
    """Texts that would name the other tenant, if any of them became SQL."""
    setting = f"set_config('app.tenant_id', '{tenant}', true)"
    return [
        f"'; select {setting}; --",
        f"' || {setting} || '",
        f"x'); select {setting} from (select '",
        f"$$ select {setting} $$",
        f"%s {setting}",
    ]


def test_a_run_reads_no_word_of_another_tenant_in_any_table_it_may_read(ledger: TestLedger, other: Tenant) -> None:
    tables = readable(ledger, "zixly_runs")
    assert len(tables) > 20
    assert "grants" in tables, "tokens are among what is tried"
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as rows:
        assert [table for table, columns in tables.items() if WORD in as_text(rows, table, columns)] == []
    with ledger.runs.transaction(tenant_id=other.id) as rows:
        seen = {table for table, columns in tables.items() if WORD in as_text(rows, table, columns)}
    assert {"grants", "events", "workflow_jobs", "record_states"} <= seen, "what was planted is there to be seen"


def test_a_run_without_a_tenant_reads_no_word_at_all(ledger: TestLedger, other: Tenant) -> None:
    tables = readable(ledger, "zixly_runs")
    with ledger.runs.transaction() as rows:
        assert [table for table, columns in tables.items() if WORD in as_text(rows, table, columns)] == []


def test_dispatch_looks_across_tenants_and_reads_no_word_of_a_payload_and_no_secret(ledger: TestLedger, other: Tenant) -> None:
    """Planted too are free words (titles of issues, reasons of pauses), which are not what these tables are about."""
    spared = {
        "issues",
        "pauses",
        "job_attempts",
        "account_rests",
        "tenants",
        "connections",
        "workflows",
        "reconciliations",
        "backfill_days",
    }
    for role, database in (("zixly_dispatch", ledger.dispatch),):
        with database.transaction() as rows:
            tables = readable(ledger, role)
            found = [table for table, columns in tables.items() if WORD in as_text(rows, table, columns)]
        assert set(found) - spared == set(), role


@pytest.mark.parametrize("number", range(5))
def test_text_that_a_run_is_handed_never_becomes_sql(ledger: TestLedger, other: Tenant, number: int) -> None:
    text = hostile(other.id)[number]
    with ledger.runs.transaction(tenant_id=ledger.tenant.id) as rows:
        note(rows, actor=text, action=text, subject=text, details={text: text})
        rows.execute("select * from zixly.workflow_jobs where record_key = %s or status = any(%s)", (text, [text]))
        tenant = rows.execute("select zixly.current_tenant() as tenant").fetchone()
    assert tenant == {"tenant": ledger.tenant.id}
    run = RunIdentity(run_id=text, batch_id=new_id(), tenant_id=ledger.tenant.id, earlier=(text,))
    assert ledger.claim(run) == []


def test_a_statement_with_values_is_one_statement(ledger: TestLedger, other: Tenant) -> None:
    query: Any = f"select %s; select set_config('app.tenant_id', '{other.id}', true)"
    with pytest.raises(errors.SyntaxError), ledger.runs.transaction(tenant_id=ledger.tenant.id) as rows:
        rows.execute(query, ("x",))


def test_a_run_cannot_take_another_tenants_batch_by_claiming_to_be_of_it(ledger: TestLedger, other: Tenant) -> None:
    ledger.add_jobs(1, tenant=other)
    (batch,) = [one for one in ledger.hand_over() if one.tenant_id == other.id]
    mine = RunIdentity(run_id="run-x", batch_id=batch.id, tenant_id=ledger.tenant.id, earlier=())
    assert take_or_renew(ledger.runs, mine, lease=LEASE, timeout=HOUR) == []


@pytest.mark.parametrize("role", ["runs", "dispatch", "intake", "metrics", "retention", "api"])
@pytest.mark.parametrize("change", ["set role zixly_owner", "set session authorization zixly_owner"])
def test_no_role_becomes_the_owner(database: TestDatabase, role: str, change: str) -> None:
    with psycopg.connect(database.url(role)) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(change)  # type: ignore[call-overload]


@pytest.mark.parametrize("role", ["runs", "api"])
def test_row_security_switched_off_shows_nothing_but_an_error(other: Tenant, database: TestDatabase, role: str) -> None:
    with psycopg.connect(database.url(role)) as connection:
        connection.execute("set row_security = off")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("select id from zixly.workflow_jobs")
