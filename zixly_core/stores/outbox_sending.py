"""The outbox as it is emptied: a message is claimed, sent outside of any transaction, and its end is noted.

As role `runs`, within the tenant of the channel, or within none for the agency's own channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.notifications.outcome import Ending, Outcome
from zixly_core.notifications.words import Kind
from zixly_core.stores.database import Database

# Longer than any sending takes. Whoever died meanwhile sent it, or did not: the next one sends the same message under the same id.
CLAIM = timedelta(seconds=90)
# What a message has room for; the rest goes into the next one.
MAX_LINES = 500

# One at a time for each channel, without holding up whoever adds lines to it.
CHANNEL_SQL = """
select id, tenant_id, kind, name, address, secret, digest_at from zixly.notification_channels
where id = %s and paused_at is null and removed_at is null and (not_before is null or not_before <= now())
for no key update"""
# First what was tried before and is in doubt; then all that is due, and what would be due in a moment.
FIRST_SQL = """
select id, kind, day, message_id from zixly.notifications
where channel_id = %s and status = 'PENDING' and due_at <= now() and (claimed_until is null or claimed_until < now())
order by message_id is null, due_at, id limit 1"""
CLAIM_SQL = """
update zixly.notifications set claimed_until = now() + %(claim)s, attempts = attempts + 1, message_id = %(message)s
where id in (
  select id from zixly.notifications
  where channel_id = %(channel)s and status = 'PENDING' and (claimed_until is null or claimed_until < now())
    and case
      when %(again)s then message_id = %(message)s
      when %(alone)s then id = %(message)s
      else message_id is null and (kind = 'digest') = %(digest)s and day is not distinct from %(day)s and kind <> 'test'
        and due_at <= now() + %(soon)s
    end
  order by due_at, id limit %(limit)s)
returning id, kind, issue_id, about_tenant_id, day, covers_from, covers_until, attempts"""
SENT_SQL = """
update zixly.notifications set status = 'SENT', reason = %s, sent_at = now(), claimed_until = null
where message_id = %s and id = any(%s) and status = 'PENDING'"""
ENDED_SQL = "update zixly.notification_channels set sent = sent + %s, failed = failed + %s, not_before = null where id = %s"
LATER_SQL = """
update zixly.notifications set reason = %s, due_at = greatest(due_at, now() + %s), claimed_until = null,
  message_id = case when %s then message_id end
where message_id = %s and id = any(%s) and status = 'PENDING'"""
REST_SQL = "update zixly.notification_channels set not_before = now() + %s where id = %s"
FAILED_SQL = """
update zixly.notifications set status = 'FAILED', reason = %s, claimed_until = null
where message_id = %s and id = any(%s) and status = 'PENDING'"""


@dataclass(frozen=True)
class SendingChannel:
    """A channel with what opens it."""

    id: UUID
    tenant_id: UUID | None
    kind: str
    name: str
    address: str
    secret: bytes | None = field(repr=False)
    digest_at: time | None


@dataclass(frozen=True)
class ClaimedLine:
    """A line of a claimed message."""

    id: UUID
    kind: Kind
    issue_id: UUID | None
    about_tenant_id: UUID | None
    day: date | None
    covers_from: datetime | None
    covers_until: datetime | None
    attempts: int


@dataclass(frozen=True)
class ClaimedMessage:
    """Lines that go out together."""

    id: UUID
    channel: SendingChannel
    lines: Sequence[ClaimedLine]

    @property
    def attempts(self) -> int:
        return max(line.attempts for line in self.lines)


def claim(database: Database, channel_id: UUID, *, tenant_id: UUID | None, gather: timedelta) -> ClaimedMessage | None:
    """The channel's next message, in this caller's hands for `CLAIM`; None when nothing is due or the channel rests."""
    with database.transaction(tenant_id=tenant_id) as rows:
        with rows.cursor(row_factory=class_row(SendingChannel)) as cursor:
            channel = cursor.execute(CHANNEL_SQL, (channel_id,)).fetchone()
        first = rows.execute(FIRST_SQL, (channel_id,)).fetchone() if channel is not None else None
        if channel is None or first is None:
            return None
        message_id: UUID = first["message_id"] or first["id"]
        values = {
            "claim": CLAIM,
            "channel": channel_id,
            "message": message_id,
            "again": first["message_id"] is not None,
            "alone": first["kind"] == Kind.TEST,
            "digest": first["kind"] == Kind.DIGEST,
            "day": first["day"],
            "soon": gather,
            "limit": MAX_LINES,
        }
        found = [ClaimedLine(**{**row, "kind": Kind(row["kind"])}) for row in rows.execute(CLAIM_SQL, values)]
    return ClaimedMessage(message_id, channel, sorted(found, key=lambda line: line.id))


def note_end(database: Database, message: ClaimedMessage, outcome: Outcome, *, pause: timedelta | None) -> None:
    """What became of a message. `pause`: it is tried again after that, and the channel rests until then; None: it is not."""
    ids = [line.id for line in message.lines]
    channel_id = message.channel.id
    with database.transaction(tenant_id=message.channel.tenant_id) as rows:
        if outcome.ending is Ending.SENT:
            rows.execute(SENT_SQL, (outcome.reason, message.id, ids))
            rows.execute(ENDED_SQL, (1, 0, channel_id))
        elif pause is not None:
            rows.execute(LATER_SQL, (outcome.reason, pause, outcome.is_in_doubt, message.id, ids))
            rows.execute(REST_SQL, (pause, channel_id))
        else:
            rows.execute(FAILED_SQL, (outcome.reason, message.id, ids))
            rows.execute(ENDED_SQL, (0, 1, channel_id))
