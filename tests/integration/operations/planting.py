"""Plant a word of a tenant's own in every column that is said to hold something personal, secret or wordy, in every table there is.

A new table needs no line here unless a check of its own refuses what is made up; then say in `MADE` what it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from tests.support.ledger import WORKFLOW, Tenant, TestLedger
from zixly_core.ids import new_id
from zixly_core.personal_data import TABLES, Holds

MARKED = (Holds.PERSONAL, Holds.SECRET, Holds.WORDS)
# What checks and references demand; None leaves a column to its default.
MADE: Mapping[str, Any] = {
    "users.issuer": "https://login.example.com",
    "memberships.role": "VIEWER",
    "machine_tokens.role": "VIEWER",
    "machine_tokens.scopes": ["read"],
    "tenant_workflows.workflow": WORKFLOW,
    "reconciliations.workflow": WORKFLOW,
    "reconciliations.origin": "asked",
    "drifts.workflow": WORKFLOW,
    "drifts.kind": "field_drift",
    "deliveries.verdict": "accepted",
    "events.outcome": "jobs",
    "workflow_jobs.status": "COMPLETED",
    "job_attempts.outcome": "failed",
    "workflow_related_records.action": "READ",
    "effects.state": "DONE",
    "record_states.role": "target",
    "subscriptions.kind": "signed",
    "subscription_checks.state": "well",
    "holes.kind": "silence",
    "oauth_states.status": "CHOOSING",
    "notification_channels.kind": "slack",
    "issue_transitions.transition": "opened",
    "pauses.kind": "connection",
    "notifications.kind": "opened",
    "tenant_exports.status": "GONE",
    "payload_archives.day": "2026-01-01",
    "batches.lane": "live",
    "replays.mode": "START",
}
# JSON that is read in some form; elsewhere any list will do.
FORMS: Mapping[str, Callable[[str], Any]] = {
    "drifts.fields": lambda word: {"amount": {"source": word, "target": word}},
    "workflow_jobs.result": lambda word: {"said": word},
    "workflow_jobs.execution_log": lambda word: [{"step": "fetch", "message": word, "at": "2026-01-01T00:00:00Z"}],
    "deliveries.headers": lambda word: {"said": word},
    "subscriptions.details": lambda word: {"said": word},
    "subscription_checks.findings": lambda word: {"reason": word},
}
# Rows of these are there, or are nobody's.
NOT_PLANTED = frozenset(
    "workflows job_counters sequence_marks dedupe_keys audit_log deleted_counts tenant_erasures ledger_balance restores".split()
)

COLUMNS_SQL = """
select column_name as name, data_type as type, is_nullable = 'NO' and column_default is null as needed from information_schema.columns
where table_schema = 'zixly' and table_name = %s and is_generated = 'NEVER' order by ordinal_position"""
REFERENCES_SQL = """
select c.conrelid::regclass::text as table, c.confrelid::regclass::text as target,
  (select attname from pg_attribute where attrelid = c.conrelid and attnum = c.conkey[1]) as column
from pg_constraint c where c.contype = 'f' and cardinality(c.conkey) = 1 and c.connamespace = 'zixly'::regnamespace"""


class Planter:
    """Plants one tenant's word."""

    def __init__(self, ledger: TestLedger, tenant: Tenant, word: str) -> None:
        self._owner = ledger.owner
        self._tenant = tenant
        self._word = word
        self._ids: dict[str, Any] = {"tenants": tenant.id, "connections": tenant.xero, "workflows": WORKFLOW}
        rows = self._owner.execute(REFERENCES_SQL).fetchall()
        self._references = {(bare(row["table"]), row["column"]): bare(row["target"]) for row in rows}
        self.planted: set[str] = set()

    @property
    def ids(self) -> Mapping[str, Any]:
        """The id of the row in each table that has one."""
        return self._ids

    def plant_all(self) -> None:
        """A row in every table, what is referred to first; tenant and connection have theirs already, and get the word."""
        self._owner.execute("update zixly.tenants set name = %s where id = %s", (self._word, self._tenant.id))
        self._owner.execute(
            "update zixly.connections set name = %s, settings = %s where tenant_id = %s",
            (self._word, Jsonb({"said": self._word}), self._tenant.id),
        )
        for table in TABLES:
            self._plant(table)

    def _plant(self, table: str) -> None:
        if table in self._ids or table in NOT_PLANTED:
            return
        self._ids[table] = None
        for (of, _), target in self._references.items():
            if of == table and target in TABLES:
                self._plant(target)
        columns = self._owner.execute(COLUMNS_SQL, (table,)).fetchall()
        values = {column["name"]: self._value(table, column) for column in columns}
        chosen = {name: value for name, value in values.items() if value is not None}
        names, places = map(sql.Identifier, chosen), sql.SQL(", ").join([sql.Placeholder()] * len(chosen))
        query = sql.SQL("insert into zixly.{} ({}) values ({})").format(sql.Identifier(table), sql.SQL(", ").join(names), places)
        self._owner.execute(query, list(chosen.values()))
        self._ids[table] = chosen.get("id")
        self.planted.add(table)

    def _value(self, table: str, column: Mapping[str, Any]) -> Any:
        name, kind = column["name"], column["type"]
        if f"{table}.{name}" in MADE:
            return MADE[f"{table}.{name}"]
        if TABLES[table].columns.get(name) in MARKED:
            form = FORMS.get(f"{table}.{name}")
            return Jsonb(form(self._word)) if form else made_of(kind, self._word)
        if name == "tenant_id":
            return self._tenant.id
        if (table, name) in self._references:
            return self._ids.get(self._references[table, name]) if column["needed"] or table == "notifications" else None
        planted = {"job_id": "workflow_jobs", "event_id": "events", "delivery_id": "deliveries", "user_id": "users"}.get(name)
        if planted and column["needed"]:
            self._plant(planted)
            return self._ids[planted]
        return made_of(kind, f"x-{self._tenant.id}") if column["needed"] else None


def bare(table: str) -> str:
    return table.removeprefix("zixly.")


PLAIN: Mapping[str, Any] = {
    "ARRAY": [],
    "boolean": False,
    "date": "2026-01-01",
    "timestamp with time zone": "2026-01-01T00:00:00Z",
    "time without time zone": "00:00",
    "interval": "0",
}


def made_of(kind: str, word: str) -> Any:
    """A value of the type, with the word in it where one can be."""
    wordy = {"uuid": new_id(), "jsonb": Jsonb([{"said": word}]), "bytea": f'{{"said": "{word}"}}'.encode(), "text": word}
    return wordy.get(kind, PLAIN.get(kind, 0))


def everything_in(ledger: TestLedger) -> dict[str, str]:
    """Every row of every table as text, by table; bytes as the text that they are."""
    tables = ledger.owner.execute("select tablename from pg_tables where schemaname = 'zixly' order by 1").fetchall()
    found: dict[str, str] = {}
    for table in (row["tablename"] for row in tables):
        rows = ledger.owner.execute(f"select * from zixly.{table}").fetchall()
        values = [value for row in rows for value in row.values()]
        found[table] = "\n".join(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values)
    return found


def counts_of(ledger: TestLedger, tenant_id: UUID) -> dict[str, int]:
    """How many rows of the tenant there are, where the ledger counts."""
    return {
        table: len(ledger.owner.execute(f"select 1 from zixly.{table} where tenant_id = %s", (tenant_id,)).fetchall())
        for table in ("workflow_jobs", "job_attempts", "workflow_related_records", "events", "batches")
    }
