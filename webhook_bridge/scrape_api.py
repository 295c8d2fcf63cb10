"""The part of `/metrics` about calls to vendors: counted by the run workers, which write their counts to Postgres."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Metric

from webhook_bridge.scrape_histograms import add_distribution
from zixly_core import metrics
from zixly_core.metrics import counter_family, gauge_family, histogram_family
from zixly_core.stores.api_counts import ApiCounts


def api_families(counts: ApiCounts) -> Iterable[Metric]:
    """One reading as metrics."""
    calls = counter_family(metrics.API_CALLS)
    for one in counts.calls:
        calls.add_metric([one.system, one.endpoint, one.status], one.value)
    yield calls
    latency = histogram_family(metrics.API_LATENCY)
    for found in counts.latencies:
        add_distribution(latency, [found.job_type], found, metrics.API_LATENCY)
    yield latency
    remaining = gauge_family(metrics.API_BUDGET)
    for labels, left in counts.remaining.items():
        remaining.add_metric(labels, left)
    yield remaining
    ratio = gauge_family(metrics.API_BUDGET_RATIO)
    for labels, part in counts.parts.items():
        ratio.add_metric(labels, part)
    yield ratio
