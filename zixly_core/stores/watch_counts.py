"""How webhooks stand, for metrics: connections by what their last check came to, holes that are open, and the oldest check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.stores.database import Rows
from zixly_core.stores.watching import WATCHED

STATES_SQL = """
select system, coalesce(watch_state, 'unchecked') as state, count(*)::int as connections,
       extract(epoch from now() - min(coalesce(watched_at, created_at)))::float8 as seconds
from zixly.connections where status = 'ACTIVE' and system = any(%s) group by 1, 2"""
HOLES_SQL = "select system, count(*)::int as holes from zixly.holes where status = 'OPEN' group by system"


@dataclass(frozen=True)
class WatchCounts:
    """One reading, by system: connections (and state), open holes, and the age of the oldest check."""

    connections: Mapping[tuple[str, str], int]
    holes: Mapping[str, int]
    check_age_seconds: Mapping[str, float]


def watch_counts(rows: Rows) -> WatchCounts:
    """As the role `metrics`."""
    states = list(rows.execute(STATES_SQL, (list(WATCHED),)))
    holes = {row["system"]: row["holes"] for row in rows.execute(HOLES_SQL)}
    ages: dict[str, float] = {}
    for row in states:
        ages[row["system"]] = max(ages.get(row["system"], 0.0), row["seconds"])
    return WatchCounts({(row["system"], row["state"]): row["connections"] for row in states}, holes, ages)
