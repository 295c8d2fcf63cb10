"""How telling people goes, for metrics: messages by kind of channel, and how long the oldest one has been waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.stores.database import Rows

MESSAGES_SQL = "select kind, sum(sent)::bigint as sent, sum(failed)::bigint as failed from zixly.notification_channels group by kind"
OLDEST_SQL = """
select c.kind, extract(epoch from now() - min(n.due_at))::float as seconds
from zixly.notifications n join zixly.notification_channels c on c.id = n.channel_id
where n.status = 'PENDING' and n.due_at <= now() group by c.kind"""


@dataclass(frozen=True)
class NotificationCounts:
    """By kind of channel and status, and by kind of channel."""

    messages: Mapping[tuple[str, str], int]
    oldest_seconds: Mapping[str, float]


def notification_counts(rows: Rows) -> NotificationCounts:
    """As the role `metrics`."""
    messages = {(row["kind"], status): row[status] for row in rows.execute(MESSAGES_SQL) for status in ("sent", "failed")}
    return NotificationCounts(messages, {row["kind"]: row["seconds"] for row in rows.execute(OLDEST_SQL)})
