"""What holds jobs back by somebody's or something's word, in counts: pauses, accounts that rest, probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.stores.account_rests import PROBES
from zixly_core.stores.database import Rows

PAUSES_SQL = "select kind, count(*)::int as pauses from zixly.pauses group by kind"
RESTS_SQL = "select system, count(*)::int as accounts from zixly.account_rests where well_at is null group by system"
PROBES_SQL = """
select job_type as system, status as result, sum(value)::float8 as probes
from zixly.job_counters where name = %s group by job_type, status"""


@dataclass(frozen=True)
class HandoverCounts:
    """One reading."""

    pauses: Mapping[str, int]
    resting: Mapping[str, int]
    probes: Mapping[tuple[str, str], float]


def handover_counts(rows: Rows) -> HandoverCounts:
    """As the role `metrics`."""
    return HandoverCounts(
        pauses={row["kind"]: row["pauses"] for row in rows.execute(PAUSES_SQL)},
        resting={row["system"]: row["accounts"] for row in rows.execute(RESTS_SQL)},
        probes={(row["system"], row["result"]): row["probes"] for row in rows.execute(PROBES_SQL, (PROBES,))},
    )
