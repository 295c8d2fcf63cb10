"""What is classified can be done: the role that erases may empty or delete, the role that exports reads one tenant only."""

from __future__ import annotations

from tests.support.ledger import TestLedger
from zixly_core.personal_data import BY_TENANT, TABLES, Erasing, Holds

TO_EMPTY = (Holds.PERSONAL, Holds.SECRET, Holds.WORDS)


def may(ledger: TestLedger, question: str, *values: str) -> bool:
    row = ledger.owner.execute(f"select {question} as may", values).fetchone()
    return row is not None and bool(row["may"])


def test_the_role_that_erases_may_delete_and_empty_what_has_to_be(ledger: TestLedger) -> None:
    missing = []
    for table, held in TABLES.items():
        name = f"zixly.{table}"
        if held.erasing is Erasing.DELETE and not may(ledger, "has_table_privilege('zixly_retention', %s, 'delete')", name):
            missing.append(f"delete on {name}")
        if held.erasing is Erasing.EMPTY:
            columns = held.columns_of(*TO_EMPTY)
            asked = "has_column_privilege('zixly_retention', %s, %s, 'update')"
            missing += [f"update ({column}) on {name}" for column in columns if not may(ledger, asked, name, column)]
    assert missing == [], "grant these to zixly_retention"


def test_the_role_that_exports_may_read_and_sees_one_tenant_only(ledger: TestLedger) -> None:
    exported = [name for name, held in TABLES.items() if held.is_exported]
    assert [name for name in exported if not may(ledger, "has_any_column_privilege('zixly_runs', %s, 'select')", f"zixly.{name}")] == []
    policies = ledger.owner.execute(
        "select tablename, qual from pg_policies where schemaname = 'zixly' and 'zixly_runs' = any(roles)"
    ).fetchall()
    guarded = {policy["tablename"] for policy in policies if "current_tenant()" in str(policy["qual"])}
    assert [name for name in exported if name not in guarded] == []


def test_what_is_kept_whole_holds_ids_only() -> None:
    kept = [held for name, held in TABLES.items() if held.erasing is Erasing.KEEP and name != "users"]
    assert {holds for held in kept for holds in held.columns.values()} == {Holds.IDS}


def test_rows_that_are_emptied_or_deleted_are_found_by_their_tenant() -> None:
    homeless = [name for name, held in TABLES.items() if held.erasing is not Erasing.KEEP and held.of_tenant is None]
    assert homeless == ["deliveries"], "only deliveries are found in another way: through their events"


def test_the_role_that_erases_has_a_policy_on_every_table_it_changes(ledger: TestLedger) -> None:
    """Without one it would find no rows and say that it is done."""
    rows = ledger.owner.execute("select tablename, qual from pg_policies where schemaname = 'zixly' and 'zixly_retention' = any(roles)")
    guards = {row["tablename"]: str(row["qual"]) for row in rows.fetchall()}
    changed = [name for name, held in TABLES.items() if held.erasing is not Erasing.KEEP]
    assert [name for name in changed if name not in guards] == [], "create policy retention_all on it, as migration 0018 does"
    by_tenant = [name for name in changed if TABLES[name].of_tenant == BY_TENANT]
    assert [name for name in by_tenant if "current_tenant()" not in guards[name]] == []
