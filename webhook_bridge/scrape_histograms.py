"""Distributions that were read from Postgres, as histograms of the page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily

from zixly_core.metrics import Metric
from zixly_core.stores.histograms import Distribution


def add_distribution(family: HistogramMetricFamily, labels: Sequence[str], found: Distribution, metric: Metric) -> None:
    """One series of the histogram: Prometheus' buckets hold what is below their bound, all smaller buckets included."""
    bounds = [*(str(float(bound)) for bound in metric.buckets), "+Inf"]
    buckets = list(zip(bounds, accumulate(float(count) for count in found.counts), strict=True))
    family.add_metric(labels, buckets=buckets, sum_value=found.total)
