"""How the vendors' APIs were called and what their accounts have left, read as the role that sees counts only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.account_limits import LIMITS
from zixly_core.api_limits import Bucket, FixedWindow
from zixly_core.budget_account import Account, bucket_in, fixed_in
from zixly_core.budget_windows import filled
from zixly_core.stores.budgets import account_from
from zixly_core.stores.call_counts import CALLS, LATENCY
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.histograms import Distribution, distributions

CALLS_SQL = f"""
select split_part(job_type, ' ', 1) as system, substr(job_type, strpos(job_type, ' ') + 1) as endpoint, status, sum(value)::float8 as value
from zixly.job_counters where name = '{CALLS}' group by job_type, status"""
BUDGETS_SQL = """
select system, state, extract(epoch from now())::float8 as now from zixly.api_budgets where state <> '{}'"""


@dataclass(frozen=True)
class Calls:
    """Calls of one endpoint that were answered alike."""

    system: str
    endpoint: str
    status: str
    value: float


@dataclass(frozen=True)
class ApiCounts:
    """One reading. `remaining` is that of the account with the fewest, by system and window."""

    calls: tuple[Calls, ...]
    latencies: tuple[Distribution, ...]
    remaining: Mapping[tuple[str, str], float]


def api_counts(database: Database) -> ApiCounts:
    """Read as role `metrics`. Raises `StoreUnavailable`, also when the reading takes longer than 3 s."""
    with database.transaction() as rows:
        rows.execute("set local statement_timeout = '3s'")
        return ApiCounts(
            calls=tuple(Calls(**row) for row in rows.execute(CALLS_SQL)),
            latencies=distributions(rows, LATENCY),
            remaining=least_remaining(rows),
        )


def least_remaining(rows: Rows) -> dict[tuple[str, str], float]:
    """What the account with the fewest calls has left."""
    least: dict[tuple[str, str], float] = {}
    for row in rows.execute(BUDGETS_SQL):
        for window, left in remaining_of(row["system"], account_from(row["state"]), row["now"]).items():
            key = (row["system"], window)
            least[key] = min(least.get(key, left), left)
    return least


def remaining_of(system: str, account: Account, now: float) -> dict[str, float]:
    """What one account has left. A window that is over has everything left again."""
    if system not in LIMITS:
        return {}
    found: dict[str, float] = {}
    for window in LIMITS[system]({}).windows:
        fixed, bucket = fixed_in(account, window.name), bucket_in(account, window.name)
        if isinstance(window, Bucket) and bucket is not None:
            found[window.name] = max(filled(window, bucket, now).left, 0.0)
        if isinstance(window, FixedWindow) and fixed is not None:
            is_over = now >= fixed.ends_by and window.limit is not None
            found[window.name] = float(window.limit or 0) if is_over else float(fixed.left)
    return found
