"""The audit log as `zixly audit` shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from zixly_cli.moments import shown


def audit_table(entries: Sequence[Mapping[str, Any]]) -> Table:
    """A row for each line."""
    table = Table()
    for column in ("when", "who", "what", "with", "tenant", "from"):
        table.add_column(column, overflow="fold")
    for one in entries:
        words = (one["actor"], one["action"], one["subject"], one["tenant"] or "", one["address"] or one["written_as"] or "")
        table.add_row(shown(one["at"]), *words)
    return table
