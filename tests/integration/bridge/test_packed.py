"""Columns packed by ourselves, as Postgres reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from tests.support.ledger import TestLedger
from zixly_core.stores.packed import KINDS, kinds_of, packed_columns
from zixly_core.stores.rows import rows_from

COLUMNS = "a uuid, b text, c bytea, d timestamptz, e smallint, f int, g bigint, h float8, i interval, j boolean"
ROWS = [
    (
        UUID(int=7),
        "ünï ☃",
        b"\x00\xff",
        datetime(2026, 11, 28, 9, 30, 1, 123457, tzinfo=UTC),
        -3,
        2**31 - 1,
        -(2**62),
        0.1,
        timedelta(days=-2, microseconds=3),
        True,
    ),
    (
        UUID(int=2**127 + 1),
        "",
        b"",
        datetime(1999, 1, 2, 3, tzinfo=timezone(timedelta(hours=10))),
        32_767,
        -1,
        2**53 + 1,
        -1e300,
        timedelta(hours=30),
        False,
    ),
    (None,) * 10,
]


def test_every_kind_of_column_comes_to_postgres_as_it_was(ledger: TestLedger) -> None:
    assert {column.split()[1] for column in COLUMNS.split(", ")} == set(KINDS)
    found = ledger.owner.execute(f"select * from {rows_from(COLUMNS)}", packed_columns(kinds_of(COLUMNS), ROWS)).fetchall()
    assert [tuple(row.values()) for row in found] == ROWS
