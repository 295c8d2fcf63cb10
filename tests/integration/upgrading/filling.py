"""Rows for every table of a database as it is, whatever version made it: one for each value that a column of a closed set may have."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from zixly_core.ids import new_id

COLUMNS_SQL = """
select table_name as table, column_name as name, udt_name as type from information_schema.columns
where table_schema = 'zixly' and is_nullable = 'NO' and column_default is null and is_generated = 'NEVER' and is_identity = 'NO'"""
TABLES_SQL = "select tablename from pg_tables where schemaname = 'zixly' and tablename <> 'alembic_version' order by 1"
CHECKS_SQL = """
select conrelid::regclass::text as table, pg_get_constraintdef(oid) as words from pg_constraint
where contype = 'c' and connamespace = 'zixly'::regnamespace"""
LINKS_SQL = """
select c.conrelid::regclass::text as table, c.confrelid::regclass::text as target, a.attname as name, b.attname as target_name
from pg_constraint c
cross join lateral unnest(c.conkey, c.confkey) as k(own, other)
join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.own
join pg_attribute b on b.attrelid = c.confrelid and b.attnum = k.other
where c.contype = 'f' and c.connamespace = 'zixly'::regnamespace"""
CLOSED_SET = re.compile(r"\((\w+) = ANY \(ARRAY\[((?:'[^']*'::text(?:, )?)+)\]\)\)")
MOMENT = "2026-11-22T00:00:00Z"


class Filler:
    """Fills a database as its superuser. `given` says what cannot be guessed, by table."""

    def __init__(self, connection: psycopg.Connection[Any], *, given: Mapping[str, Mapping[str, Any]]) -> None:
        self._connection = connection
        self._given = given
        self.tables = [str(row["tablename"]) for row in self._ask(TABLES_SQL)]
        self._columns = self._by_table(COLUMNS_SQL)
        self._checks = self._by_table(CHECKS_SQL)
        self._links = self._by_table(LINKS_SQL)
        self._number = 0

    def fill(self) -> None:
        """Every table that has no row yet, and those that it points at."""
        for table in self.tables:
            self._fill(table)

    def _fill(self, table: str) -> None:
        if self._first(table) is not None:
            return
        for link in self._links.get(table, []):
            if bare(link["target"]) != table and link["name"] in self._needed(table):
                self._fill(bare(link["target"]))
        closed = {name: values for name, values in self._closed(table).items() if name not in self._given.get(table, {})}
        first = {name: values[0] for name, values in closed.items() if name in self._needed(table)}
        for chosen in [{name: value} for name, values in closed.items() for value in values] or [{}]:
            self._insert(table, {**first, **chosen})

    def _insert(self, table: str, chosen: Mapping[str, Any]) -> None:
        needed = {name: self._value(kind) for name, kind in self._needed(table).items()}
        values = {**needed, **chosen, **self._linked(table), **self._given.get(table, {})}
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        places = sql.SQL(", ").join(sql.Placeholder() * len(values))
        query = sql.SQL("insert into zixly.{} ({}) values ({}) on conflict do nothing").format(sql.Identifier(table), names, places)
        self._connection.execute(query, list(values.values()))

    def _linked(self, table: str) -> dict[str, Any]:
        """What points at other tables points at a row of theirs."""
        found = {}
        for link in self._links.get(table, []):
            target = self._first(bare(link["target"]))
            if link["name"] in self._needed(table) and target is not None:
                found[link["name"]] = target[link["target_name"]]
        return found

    def _needed(self, table: str) -> dict[str, str]:
        return {row["name"]: row["type"] for row in self._columns.get(table, [])}

    def _closed(self, table: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in self._checks.get(table, []):
            for name, values in CLOSED_SET.findall(row["words"]):
                found.setdefault(name, re.findall(r"'([^']*)'", values))
        return found

    def _value(self, kind: str) -> object:
        self._number += 1
        values: dict[str, Any] = {
            "uuid": new_id(),
            "timestamptz": MOMENT,
            "date": MOMENT[:10],
            "time": "08:00",
            "interval": "1 minute",
            "jsonb": "{}",
            "bytea": self._number.to_bytes(32, "big"),
            "bool": False,
            "_text": ["xero:INVOICE.UPDATE"],
            "_int8": [0] * 11,
            "_uuid": [],
        }
        is_number = kind.startswith(("int", "float", "numeric"))
        return values.get(kind, 1 if is_number else f"text-{self._number}")

    def _first(self, table: str) -> dict[str, Any] | None:
        query = sql.SQL("select * from zixly.{} limit 1").format(sql.Identifier(table))
        rows = self._connection.cursor(row_factory=dict_row).execute(query).fetchall()
        return rows[0] if rows else None

    def _by_table(self, query: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._ask(query):
            found.setdefault(bare(row["table"]), []).append(row)
        return found

    def _ask(self, query: str) -> Sequence[dict[str, Any]]:
        return self._connection.cursor(row_factory=dict_row).execute(query).fetchall()


def bare(name: str) -> str:
    return name.removeprefix("zixly.")


def rows_by_table(connection: psycopg.Connection[Any], tables: Sequence[str]) -> dict[str, int]:
    found = {}
    for table in tables:
        row = connection.execute(sql.SQL("select count(*) from zixly.{}").format(sql.Identifier(table))).fetchone()
        found[table] = int(row[0]) if row else 0
    return found
