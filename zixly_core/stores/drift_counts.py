"""How sources and targets agree, for metrics: open drifts, and how long ago each account was last compared to the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.stores.database import Rows

OPEN_SQL = "select workflow, kind, count(*)::int as drifts from zixly.drifts where status in ('OPEN', 'REPAIRING') group by 1, 2"
# Of the account that was left longest; one that was never compared to the end has no age yet.
AGE_SQL = """
select workflow, extract(epoch from now() - min(ended_at))::float8 as seconds
from (select workflow, connection_id, max(ended_at) as ended_at from zixly.reconciliations
      where status = 'DONE' and not is_dry group by 1, 2) latest
group by 1"""


@dataclass(frozen=True)
class DriftCounts:
    """By workflow: open drifts (and kind), and the age in seconds of the last good reconciliation."""

    open: Mapping[tuple[str, str], int]
    age_seconds: Mapping[str, float]


def drift_counts(rows: Rows) -> DriftCounts:
    """As the role `metrics`."""
    return DriftCounts(
        open={(row["workflow"], row["kind"]): row["drifts"] for row in rows.execute(OPEN_SQL)},
        age_seconds={row["workflow"]: row["seconds"] for row in rows.execute(AGE_SQL)},
    )
