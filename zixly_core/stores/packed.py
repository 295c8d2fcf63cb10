"""Many rows as one binary array for each column, for the two places where the driver's own way costs more than all else: the intake, and
what a run keeps of each of its jobs.

The driver looks at each value of a list for its type, and again to write it. Here the column says what its values are.
The form of an array: postgresql.org/docs/current/xtypes.html, `array_recv` in src/backend/utils/adt/arrayfuncs.c.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from struct import Struct
from typing import Any
from uuid import UUID

from psycopg import adapters
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

NULL = b"\xff\xff\xff\xff"
UUID_LENGTH = b"\x00\x00\x00\x10"
# Dimensions, flags, type of the elements, length of the dimension, its lower bound.
HEADER = Struct("!iiIii")
SHORT, INT, LONG, FLOAT = (Struct(f"!i{code}") for code in "hiqd")
# Microseconds, days, months.
INTERVAL = Struct("!iqii")
BOOLEANS = (b"\x00\x00\x00\x01\x00", b"\x00\x00\x00\x01\x01")
LENGTH = Struct("!i")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def packed_uuid(value: UUID) -> bytes:
    return UUID_LENGTH + value.bytes


def packed_text(value: str) -> bytes:
    encoded = value.encode()
    return LENGTH.pack(len(encoded)) + encoded


def packed_bytea(value: bytes) -> bytes:
    return LENGTH.pack(len(value)) + value


def packed_instant(value: datetime) -> bytes:
    return LONG.pack(8, (value - EPOCH) // MICROSECOND)


def packed_interval(value: timedelta) -> bytes:
    return INTERVAL.pack(16, value // MICROSECOND, 0, 0)


def packed_boolean(value: bool) -> bytes:
    return BOOLEANS[value]


def packed_smallint(value: int) -> bytes:
    return SHORT.pack(2, value)


def packed_int(value: int) -> bytes:
    return INT.pack(4, value)


def packed_bigint(value: int) -> bytes:
    return LONG.pack(8, value)


def packed_float(value: float) -> bytes:
    return FLOAT.pack(8, value)


class Packed:
    """A column that is ready to be sent. Each kind has a class of its own, by which the driver knows the array's type."""

    __slots__ = ("data",)
    element_oid: int
    of: Callable[[Any], bytes]

    def __init__(self, values: Sequence[Any]) -> None:
        pack = type(self).of
        head = HEADER.pack(1, 0, self.element_oid, len(values), 1)
        self.data = head + b"".join([NULL if value is None else pack(value) for value in values])


class PackedDumper(Dumper):
    """Gives the driver what is packed already."""

    format = Format.BINARY

    def dump(self, obj: Packed) -> Buffer | None:
        return obj.data


def kind_of_column(name: str, element_oid: int, array_oid: int, pack: Callable[[Any], bytes]) -> type[Packed]:
    made = type(f"Packed_{name}", (Packed,), {"__slots__": (), "element_oid": element_oid, "of": staticmethod(pack)})
    adapters.register_dumper(made, type(f"Dumper_{name}", (PackedDumper,), {"oid": array_oid}))
    return made


# Name in SQL -> how its arrays are packed. The numbers are those of `pg_type`, which never change.
KINDS: dict[str, type[Packed]] = {
    name: kind_of_column(name, element, array, pack)
    for name, element, array, pack in (
        ("uuid", 2950, 2951, packed_uuid),
        ("text", 25, 1009, packed_text),
        ("bytea", 17, 1001, packed_bytea),
        ("timestamptz", 1184, 1185, packed_instant),
        ("interval", 1186, 1187, packed_interval),
        ("boolean", 16, 1000, packed_boolean),
        ("smallint", 21, 1005, packed_smallint),
        ("int", 23, 1007, packed_int),
        ("bigint", 20, 1016, packed_bigint),
        ("float8", 701, 1022, packed_float),
    )
}


@cache
def kinds_of(columns: str) -> tuple[type[Packed], ...]:
    """The kinds of `"id uuid, name text"`, as `rows_from` takes it."""
    return tuple(KINDS[column.split()[1]] for column in columns.split(","))


def packed_rows(columns: str, rows: Sequence[tuple[Any, ...]]) -> list[Packed]:
    """Rows for the statement that was made with `rows_from(columns)`. At least one row."""
    return packed_columns(kinds_of(columns), rows)


def packed_columns(kinds: Sequence[type[Packed]], rows: Sequence[tuple[Any, ...]]) -> list[Packed]:
    """Rows turned into one array for each column. At least one row."""
    return [kind(column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]
