"""Webhooks as metrics: whether they come, what is missing, and whether anybody looks."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Metric

from zixly_core import metrics
from zixly_core.metrics import gauge_family
from zixly_core.stores.watch_counts import WatchCounts
from zixly_core.stores.watching import WATCHED, WatchState

STATES = ("unchecked", *(state.value for state in WatchState))


def watching_families(counts: WatchCounts) -> Iterable[Metric]:
    """One reading. Zeros are told, so that an alert sees them and no gap; a system without connections has no age."""
    webhooks, holes, ages = (gauge_family(one) for one in (metrics.WEBHOOKS, metrics.HOLES_OPEN, metrics.CHECK_AGE))
    for system in WATCHED:
        for state in STATES:
            webhooks.add_metric([system, state], counts.connections.get((system, state), 0))
        holes.add_metric([system], counts.holes.get(system, 0))
    for system, seconds in counts.check_age_seconds.items():
        ages.add_metric([system], seconds)
    return webhooks, holes, ages
