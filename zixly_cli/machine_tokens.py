"""How machine tokens are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table


def token_table(tokens: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "for", "of", "role", "scopes", "ends", "last used", "state"):
        table.add_column(heading, no_wrap=heading == "id")
    for one in tokens:
        table.add_row(
            one["id"],
            one["name"],
            one["tenant"] or "the agency",
            one["role"],
            ", ".join(one["scopes"]),
            one["expires_at"][:10],
            (one["last_used_at"] or "never")[:16].replace("T", " "),
            f"revoked {one['revoked_at'][:10]}" if one["revoked_at"] else "",
        )
    return table
