"""Drifts as metrics: how many are open, and how long ago sources and targets were last compared."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Metric

from zixly_core import metrics
from zixly_core.drifts import DriftKind
from zixly_core.metrics import gauge_family
from zixly_core.reconciling.comparisons import COMPARISONS
from zixly_core.stores.drift_counts import DriftCounts


def drift_families(counts: DriftCounts) -> Iterable[Metric]:
    """One reading. A workflow that was never compared to the end has no age: a gap and no zero."""
    drifts, age = gauge_family(metrics.DRIFTS_OPEN), gauge_family(metrics.RECONCILIATION_AGE)
    for workflow in sorted(COMPARISONS):
        for kind in DriftKind:
            drifts.add_metric([workflow, kind.value], counts.open.get((workflow, kind.value), 0))
        if workflow in counts.age_seconds:
            age.add_metric([workflow], counts.age_seconds[workflow])
    return drifts, age
