"""What the sandbox answered, as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

# Of a long list so many rows are shown; `--json` shows all.
MOST_ROWS = 50


def rows_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    """One line for each row, the named columns."""
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows[:MOST_ROWS]:
        table.add_row(*(in_words(row.get(name)) for name in columns))
    if len(rows) > MOST_ROWS:
        table.caption = f"{len(rows) - MOST_ROWS} more; --json shows all"
    return table


def facts_table(facts: Mapping[str, Any]) -> Table:
    """One line for each fact; facts within facts are named with dots."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in flattened(facts).items():
        table.add_row(name, in_words(value))
    return table


def flattened(facts: Mapping[str, Any], *, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            found |= flattened(value, prefix=f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def in_words(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() if len(value) > 3:
            return f"{', '.join(map(str, value[:3]))} and {len(value) - 3} more"
        case list():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def delivery_row(delivery: Mapping[str, Any]) -> dict[str, Any]:
    """A delivery of any vendor: what it tells of differs, its tries do not."""
    tries = [item["outcome"] for item in delivery.get("attempts", [])]
    events = delivery.get("events")
    about = (
        f"{len(events)} event{'s' if len(events) != 1 else ''}"
        if isinstance(events, list)
        else str(delivery.get("topic") or delivery.get("about") or "")
    )
    return {
        "id": delivery.get("id"),
        "state": delivery.get("state"),
        "what": about,
        "tries": len(tries),
        "last": tries[-1] if tries else None,
    }
