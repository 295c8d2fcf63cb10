"""Many rows in one statement: each column travels as one array and `unnest` makes rows of them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def rows_from(columns: str) -> str:
    """The `from` item for rows sent as arrays: `"id uuid, name text"` gives `unnest(%s::uuid[], %s::text[]) as t (id, name)`."""
    pairs = [column.split() for column in columns.split(",")]
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in pairs)
    return f"unnest({arrays}) as t ({', '.join(name for name, _ in pairs)})"


def columns_of(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """Rows turned into one list for each column, as `rows_from` takes them. At least one row."""
    return [list(column) for column in zip(*rows, strict=True)]
