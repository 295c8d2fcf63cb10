"""PromQL for the panels.

What is read from Postgres is shown by every bridge alike, and what is read from Dagster by every daemon: `once` takes one of them,
before anything is added up.
"""

from __future__ import annotations

# At least four scrapes, as Grafana computes it from the graph's width and the data source's interval.
GRAPH = "$__rate_interval"
DAY = "24h"


def once(expression: str) -> str:
    return f"max without (instance) ({expression})"


def selected(metric: str, labels: str = "") -> str:
    return f"{metric}{{{labels}}}" if labels else metric


def total(expression: str, *, by: str = "") -> str:
    """The sum, for each value of the labels `by`."""
    return f"sum by ({by}) ({expression})" if by else f"sum({expression})"


def gauge(metric: str, labels: str = "", *, by: str = "") -> str:
    """How much there is now."""
    return total(once(selected(metric, labels)), by=by)


def worst(metric: str, labels: str = "", *, by: str) -> str:
    """The largest, for each value of the labels `by`."""
    return f"max by ({by}) ({selected(metric, labels)})"


def least(metric: str, labels: str = "", *, by: str) -> str:
    return f"min by ({by}) ({selected(metric, labels)})"


def rate(metric: str, labels: str = "", *, by: str = "", window: str = GRAPH) -> str:
    """How many a second."""
    return total(once(f"rate({selected(metric, labels)}[{window}])"), by=by)


def count(metric: str, labels: str = "", *, by: str = "", window: str = GRAPH) -> str:
    """How many within the window."""
    return total(once(f"increase({selected(metric, labels)}[{window}])"), by=by)


def quantile(part: float, histogram: str, labels: str = "", *, by: str = "", window: str = GRAPH) -> str:
    """The bound below which this part of what was measured lies."""
    grouped = ", ".join(one for one in (by, "le") if one)
    return f"histogram_quantile({part}, {rate(f'{histogram}_bucket', labels, by=grouped, window=window)})"


def own_rate(metric: str, labels: str = "", *, by: str = "", window: str = GRAPH) -> str:
    """How many a second, of what each bridge or worker counts itself: theirs are added up."""
    return total(f"rate({selected(metric, labels)}[{window}])", by=by)


def own_quantile(part: float, histogram: str, labels: str = "", *, by: str = "", window: str = GRAPH) -> str:
    grouped = ", ".join(one for one in (by, "le") if one)
    return f"histogram_quantile({part}, {own_rate(f'{histogram}_bucket', labels, by=grouped, window=window)})"


def part(some: str, every: str) -> str:
    """Which part of `every` is `some`, 0 to 1."""
    return f"{some} / {every}"
