"""Prometheus sees a counter grow only from a figure that it has seen before."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from zixly_core import metrics
from zixly_core.metrics import ProcessMetrics


@pytest.mark.parametrize("metric", [metrics.NOT_KEPT, metrics.NOT_STORED, metrics.WAKE_UPS_FAILED], ids=lambda metric: metric.name)
def test_what_goes_wrong_for_a_system_is_told_as_zero_before_it_does(metric: metrics.Metric) -> None:
    registry = CollectorRegistry()
    ProcessMetrics(registry, systems=("xero",))
    assert registry.get_sample_value(metric.name, {"system": "xero"}) == 0.0
