"""What each role of the database may do, column by column, as a list that a person reviews: a new grant shows there, or this fails."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.support.postgres import TestDatabase
from zixly_cli.stack.databases import OWNER, ROLES

LISTED = Path(__file__).parent / "grants.txt"
# A grant on a whole table counts for columns that come later; so it is listed as such (`*`).
GRANTS_SQL = """
select grantee as role, table_name as "table", privilege_type as may, '*' as columns from information_schema.role_table_grants
where table_schema = 'zixly' and grantee = any(%(roles)s)
union all
select a.rolname, c.relname, x.privilege_type, string_agg(t.attname, ' ' order by t.attname)
from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) x join pg_roles a on a.oid = x.grantee
where c.relnamespace = 'zixly'::regnamespace and a.rolname = any(%(roles)s) group by 1, 2, 3
order by 1, 2, 3, 4"""
POLICIES_SQL = """
select array_to_string(roles, '+') as role, tablename as "table", cmd, coalesce(qual, '-') as sees,
  coalesce(with_check, '-') as writes
from pg_policies where schemaname = 'zixly' order by 1, 2, 3, 4, 5"""
EVERYBODYS_SQL = """
select c.relname as "table", x.privilege_type as may from pg_class c, aclexplode(c.relacl) x
where c.relnamespace = 'zixly'::regnamespace and x.grantee = 0
union all
select c.relname, x.privilege_type from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) x
where c.relnamespace = 'zixly'::regnamespace and x.grantee = 0
union all
select 'the schema', x.privilege_type from pg_namespace n, aclexplode(n.nspacl) x where n.nspname = 'zixly' and x.grantee = 0"""
# Whoever may do anything with a table or a column of ours, but for who made them.
HOLDERS_SQL = """
select r.rolname as role from pg_class c, aclexplode(c.relacl) x join pg_roles r on r.oid = x.grantee
where c.relnamespace = 'zixly'::regnamespace and r.rolname <> %(owner)s
union
select r.rolname from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) x join pg_roles r on r.oid = x.grantee
where c.relnamespace = 'zixly'::regnamespace and r.rolname <> %(owner)s"""
FUNCTIONS_SQL = """
select p.proname as name, p.prosecdef as definer, coalesce(array_to_string(p.proconfig, ','), '') as config,
  coalesce((select string_agg(coalesce(r.rolname, 'PUBLIC'), ' ' order by r.rolname)
            from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x left join pg_roles r on r.oid = x.grantee
            where x.privilege_type = 'EXECUTE' and x.grantee <> p.proowner), '') as open_to
from pg_proc p where p.pronamespace = 'zixly'::regnamespace order by 1"""
OWNED = "(tenant_id = zixly.current_tenant())"
OF_TENANT_OR_STAFF = "((tenant_id = zixly.current_tenant()) OR zixly.sees_all_tenants())"


@pytest.fixture
def owner(database: TestDatabase) -> Any:
    with psycopg.connect(database.url("owner"), row_factory=dict_row) as connection:
        yield connection


def grants_of(owner: psycopg.Connection[dict[str, Any]]) -> list[str]:
    rows = owner.execute(GRANTS_SQL, {"roles": list(ROLES)}).fetchall()
    return [f"{row['role']} {row['table']} {row['may'].lower()} {row['columns']}" for row in rows]


def policies_of(owner: psycopg.Connection[dict[str, Any]]) -> list[str]:
    rows = owner.execute(POLICIES_SQL).fetchall()
    return [f"{row['role']} {row['table']} {row['cmd'].lower()} sees {flat(row['sees'])} writes {flat(row['writes'])}" for row in rows]


def flat(condition: str) -> str:
    """A condition on one line, in short words where it is one of the usual ones."""
    short = {OWNED: "own", OF_TENANT_OR_STAFF: "own-or-staff", "true": "all", "-": "-"}
    return short.get(condition, " ".join(condition.split()))


def listed(name: str) -> list[str]:
    return (LISTED.parent / name).read_text().splitlines()


@pytest.mark.parametrize(("name", "found"), [("grants.txt", grants_of), ("policies.txt", policies_of)])
def test_the_database_grants_what_is_listed_and_nothing_else(owner: Any, name: str, found: Any) -> None:
    """After a migration: read the difference, and take it into the list if it is meant (ZIXLY_TAKE_GRANTS=1 writes the lists)."""
    if os.environ.get("ZIXLY_TAKE_GRANTS"):
        (LISTED.parent / name).write_text("\n".join(found(owner)) + "\n")
    difference = [
        line for line in difflib.unified_diff(listed(name), found(owner), lineterm="", n=0) if not line.startswith(("---", "+++", "@@"))
    ]
    assert difference == [], f"tests/security/{name} lists another state"


def columns(role: str, table: str, may: str = "select") -> set[str]:
    """The columns that a role may read, as the list has them; `*` for all, also those to come."""
    start = f"zixly_{role} {table} {may} "
    return {column for line in listed("grants.txt") if line.startswith(start) for column in line.removeprefix(start).split()}


PAYLOADS = {
    "payload",
    "body",
    "headers",
    "sealed",
    "trigger_data",
    "checkpoint",
    "result",
    "execution_log",
    "effect_key",
    "target",
    "state",
    "tokens",
}
SECRETS = {"ciphertext", "tokens", "verifier", "secret", "token_sha256", "state_sha256", "ticket_sha256", "browser_sha256"}
RECEIVED = ("deliveries", "events", "effects", "record_states", "workflow_related_records", "payload_values", "payload_searches", "drifts")


def test_intake_reads_dedupe_keys_routing_columns_and_signing_secrets_only() -> None:
    readable = {line.split()[1] for line in listed("grants.txt") if line.startswith("zixly_intake ") and line.split()[2] == "select"}
    tokens = {"grants", "oauth_states", "sessions", "machine_tokens", "users", "audit_log", "connection_secrets"}
    assert readable & tokens == set()
    for table in RECEIVED:
        assert columns("intake", table) & (PAYLOADS | {"*"}) == set(), table
    assert columns("intake", "workflow_jobs") & (PAYLOADS | {"*"}) == set()
    assert columns("intake", "signing_secrets") != set()


@pytest.mark.parametrize("role", ["dispatch", "metrics"])
def test_roles_that_look_across_tenants_read_no_payload_and_no_token(role: str) -> None:
    for table in ("workflow_jobs", *RECEIVED):
        assert columns(role, table) & (PAYLOADS - {"state"} | {"*"}) == set(), table
    for table in ("grants", "signing_secrets", "oauth_states", "connection_secrets", "notification_channels"):
        assert columns(role, table) & (SECRETS | {"*"}) == set(), table


def test_the_role_that_dispatches_writes_columns_by_name_and_reads_no_words_of_people() -> None:
    """Whole tables are left to it only where every row is its own: figures, and marks of what it looked at."""
    own = {"job_counters", "ledger_balance", "sequence_marks"}
    lines = [line.removeprefix("zixly_dispatch ").split() for line in listed("grants.txt") if line.startswith("zixly_dispatch ")]
    assert {(table, may) for table, may, *names in lines if may in ("insert", "update") and names == ["*"] and table not in own} == set()
    for table, words in WORDS_OF_PEOPLE.items():
        assert columns("dispatch", table) & (words | {"*"}) == set(), table


WORDS_OF_PEOPLE = {
    "issues": {"title", "note", "owner", "link"},
    "issue_transitions": {"actor"},
    "pauses": {"reason", "actor"},
    "job_attempts": {"error_message"},
    "workflow_jobs": {"error_message"},
    "tenants": {"name"},
    "connections": {"name", "settings"},
}


def test_no_role_may_create_refer_or_trigger_anything(owner: Any) -> None:
    found = {line.split()[2] for line in grants_of(owner)}
    assert found <= {"select", "insert", "update", "delete"}
    for role in ROLES:
        row = owner.execute(
            "select has_schema_privilege(%s, 'zixly', 'create') as zixly, has_schema_privilege(%s, 'public', 'create') as public",
            (role, role),
        )
        assert row.fetchone() == {"zixly": False, "public": False}, role


def test_nothing_is_granted_to_everybody_and_no_role_of_ours_is_left_out_of_the_lists(owner: Any) -> None:
    """What PUBLIC may, every role may, beside the columns that are listed for it; and a role that nobody lists could do anything."""
    everybody = owner.execute(EVERYBODYS_SQL).fetchall()
    assert everybody == []
    holders = owner.execute(HOLDERS_SQL, {"owner": OWNER}).fetchall()
    assert {row["role"] for row in holders} == set(ROLES)


def test_every_table_is_guarded_also_from_its_owner_and_has_no_policy_for_everybody(owner: Any) -> None:
    unguarded = owner.execute(
        "select relname from pg_class where relnamespace = 'zixly'::regnamespace and relkind in ('r', 'p') "
        "and not (relrowsecurity and relforcerowsecurity)"
    ).fetchall()
    assert unguarded == []
    assert [line for line in policies_of(owner) if line.startswith("public ")] == []


def test_no_role_bypasses_row_level_security_or_may_become_another(owner: Any) -> None:
    mighty = owner.execute(
        "select rolname from pg_roles where rolname = any(%s) "
        "and (rolbypassrls or rolsuper or rolcreaterole or rolcreatedb or rolreplication)",
        (list(ROLES),),
    ).fetchall()
    memberships = owner.execute(
        "select m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member where m.rolname = any(%s)", (list(ROLES),)
    ).fetchall()
    assert mighty + memberships == []


def test_functions_that_run_as_their_owner_are_open_to_named_roles_only_and_pin_their_search_path(owner: Any) -> None:
    definers = [row for row in owner.execute(FUNCTIONS_SQL).fetchall() if row["definer"]]
    assert {row["name"] for row in definers if "PUBLIC" in row["open_to"] or "search_path=" not in row["config"]} == set()
    assert {row["name"]: row["open_to"] for row in definers} == DEFINERS


# Each looks past row-level security for its caller; here is who may call it, and why that gives nothing away.
DEFINERS = {
    "erase_received": "zixly_runs",  # of the current tenant's account only
    "forget_person": "zixly_api",  # one who is no member of anything any more
    "forget_payload_values": "",  # a trigger
    "index_each_event": "",
    "index_events": "",
    "index_payloads": "zixly_dispatch",  # answers with counts
    "person_of": "zixly_api",  # the id that belongs to an address, and nothing else
    "tenant_of_batch": "zixly_dispatch zixly_runs",  # whose a batch is, and nothing else
}


def test_no_view_shows_rows_as_its_owner_sees_them(owner: Any) -> None:
    views = owner.execute(
        "select relname from pg_class where relnamespace = 'zixly'::regnamespace and (relkind = 'm' or (relkind = 'v' and "
        "not coalesce(reloptions @> array['security_invoker=true'], false)))"
    ).fetchall()
    assert views == []
