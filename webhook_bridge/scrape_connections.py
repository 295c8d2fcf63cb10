"""Authorisations as metrics: what is connected, what a person must do, and how near an unused authorisation is to its end."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Metric

from zixly_core import metrics
from zixly_core.connection_upkeep import UNUSED_LIFETIMES
from zixly_core.metrics import gauge_family
from zixly_core.stores.connection_counts import ConnectionCounts

STATUSES = ("active", "disconnected")


def connection_families(counts: ConnectionCounts) -> Iterable[Metric]:
    """One reading. Only vendors that end what lies unused have a time until then."""
    connections, issues, left = (gauge_family(one) for one in (metrics.CONNECTIONS, metrics.ISSUES_OPEN, metrics.AUTHORISATION_LEFT))
    for system in sorted({system for system, _ in counts.connections}):
        for status in STATUSES:
            connections.add_metric([system, status], counts.connections.get((system, status), 0))
        issues.add_metric([system], counts.open_issues.get(system, 0))
    for system, seconds in counts.unused_seconds.items():
        if system in UNUSED_LIFETIMES:
            left.add_metric([system], UNUSED_LIFETIMES[system].total_seconds() - seconds)
    access = gauge_family(metrics.ACCESS_TOKEN_LEFT)
    for system, seconds in counts.access_left_seconds.items():
        access.add_metric([system], seconds)
    return connections, issues, left, access
