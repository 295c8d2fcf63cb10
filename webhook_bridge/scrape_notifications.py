"""Notifications as metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Metric

from zixly_core import metrics
from zixly_core.metrics import counter_family, gauge_family
from zixly_core.notifications.words import ChannelKind
from zixly_core.stores.notification_counts import NotificationCounts


def notification_families(counts: NotificationCounts) -> Iterable[Metric]:
    """One reading. Kinds are named even when there is no such channel, so that an alert sees a zero and not a gap."""
    messages, oldest = counter_family(metrics.NOTIFICATIONS), gauge_family(metrics.OLDEST_NOTIFICATION)
    for kind in ChannelKind:
        for status in ("sent", "failed"):
            messages.add_metric([kind, status], counts.messages.get((kind, status), 0))
        oldest.add_metric([kind], counts.oldest_seconds.get(kind, 0))
    return messages, oldest
