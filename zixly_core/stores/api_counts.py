"""How the vendors' APIs were called and what their accounts have left, read as the role that sees counts only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zixly_core.account_limits import LIMITS
from zixly_core.api_limits import Bucket, FixedWindow
from zixly_core.budget_account import Account, bucket_in, fixed_in
from zixly_core.budget_windows import filled
from zixly_core.stores.budgets import account_from
from zixly_core.stores.call_counts import CALLS, LATENCY
from zixly_core.stores.database import Rows
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
class Left:
    """What is left of a window's limit; None where nobody knows the limit."""

    left: float
    of: float | None

    @property
    def part(self) -> float | None:
        return min(self.left / self.of, 1.0) if self.of else None


@dataclass(frozen=True)
class ApiCounts:
    """One reading. `remaining` is that of the account with the fewest, by system and window; `parts` the smallest part of its limit that
    an account has left."""

    calls: tuple[Calls, ...]
    latencies: tuple[Distribution, ...]
    remaining: Mapping[tuple[str, str], float]
    parts: Mapping[tuple[str, str], float]


def api_counts(rows: Rows) -> ApiCounts:
    """As role `metrics`."""
    calls = tuple(Calls(**row) for row in rows.execute(CALLS_SQL))
    latencies = distributions(rows, LATENCY)
    left = [(row["system"], left_of(row["system"], account_from(row["state"]), row["now"])) for row in rows.execute(BUDGETS_SQL)]
    found = [((system, window), one) for system, windows in left for window, one in windows.items()]
    return ApiCounts(
        calls=calls,
        latencies=latencies,
        remaining=least((key, one.left) for key, one in found),
        parts=least((key, one.part) for key, one in found if one.part is not None),
    )


def least(values: Iterable[tuple[tuple[str, str], float]]) -> dict[tuple[str, str], float]:
    """Of each key the smallest."""
    found: dict[tuple[str, str], float] = {}
    for key, value in values:
        found[key] = min(found.get(key, value), value)
    return found


def left_of(system: str, account: Account, now: float) -> dict[str, Left]:
    """What one account has left, by window. A window that is over has everything left again."""
    if system not in LIMITS:
        return {}
    found: dict[str, Left] = {}
    for window in LIMITS[system]({}).windows:
        fixed, bucket = fixed_in(account, window.name), bucket_in(account, window.name)
        if isinstance(window, Bucket) and bucket is not None:
            state = filled(window, bucket, now)
            found[window.name] = Left(max(state.left, 0.0), of=state.size)
        if isinstance(window, FixedWindow) and fixed is not None:
            is_over = now >= fixed.ends_by and window.limit is not None
            found[window.name] = Left(float(window.limit or 0) if is_over else float(fixed.left), of=window.limit)
    return found
