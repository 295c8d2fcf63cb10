"""What holds jobs back, as metrics: what is paused, which accounts rest, how their probes were answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import get_args

from prometheus_client import Metric

from zixly_core import metrics
from zixly_core.metrics import counter_family, gauge_family
from zixly_core.stores.handover_counts import HandoverCounts
from zixly_core.stores.pauses import PausedKind


def handover_families(counts: HandoverCounts, *, systems: Sequence[str]) -> Iterable[Metric]:
    """One reading. Zeros are told, so that an alert sees them and no gap."""
    paused, resting, probes = gauge_family(metrics.PAUSED), gauge_family(metrics.ACCOUNTS_RESTING), counter_family(metrics.ACCOUNT_PROBES)
    for kind in get_args(PausedKind):
        paused.add_metric([kind], counts.pauses.get(kind, 0))
    for system in systems:
        resting.add_metric([system], counts.resting.get(system, 0))
    for labels, value in counts.probes.items():
        probes.add_metric(labels, value)
    return paused, resting, probes
