"""The outbox as it is filled: from transitions of issues and from the clock. Once, however many look at the same time.

As role `dispatch`, which sees all tenants and knows neither the words of an issue nor the address of a channel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from zixly_core.ids import new_id
from zixly_core.notifications.conversation import Conversation, Heard, Line, Pace, soonest_for
from zixly_core.notifications.digest_times import due_digest, zone_or
from zixly_core.notifications.words import Kind, Status, Transition
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.rows import columns_of, rows_from

# Any number that nothing else here locks by.
FILLING = 5_104_014
PAGE = 500

LOCK_SQL = "select pg_try_advisory_xact_lock(%s) as is_mine"
CHANNELS_SQL = """
select id, tenant_id, wants, digest_at, created_at from zixly.notification_channels where removed_at is null and paused_at is null"""
UNTOLD_SQL = """
select t.id, t.issue_id, t.tenant_id, t.transition,
  concat_ws(':', i.tenant_id, i.system, i.operation, i.reason, coalesce(i.connection_id::text, '-')) as cause,
  (select e.transition from zixly.issue_transitions e where e.issue_id = t.issue_id and (e.at, e.id) < (t.at, t.id)
   order by e.at desc, e.id desc limit 1) as before
from zixly.issue_transitions t join zixly.issues i on i.id = t.issue_id
where t.told_at is null order by t.at, t.id limit %s"""
TOLD_SQL = "update zixly.issue_transitions set told_at = now() where id = any(%s)"
# Locked: what a run claims at this moment is seen as claimed, and not changed any more.
LINES_SQL = """
select channel_id, cause, id, kind, issue_id, transition_id, due_at, created_at, status, reason,
  coalesce(claimed_until > now(), false) as is_claimed
from zixly.notifications
where channel_id = any(%s) and cause = any(%s) and (created_at > now() - interval '2 days' or status = 'PENDING')
order by id for update"""
RECENT_SQL = """
select channel_id, max(sent_at) as last_sent_at, count(distinct message_id) as recent
from zixly.notifications
where status = 'SENT' and cause is not null and sent_at > now() - interval '10 minutes' and created_at > now() - interval '1 day'
group by channel_id"""
ADD_SQL = f"""
insert into zixly.notifications (id, channel_id, tenant_id, about_tenant_id, kind, issue_id, transition_id, cause, status, reason, due_at)
select * from {
    rows_from(
        "id uuid, channel_id uuid, tenant_id uuid, about_tenant_id uuid, kind text, issue_id uuid, transition_id uuid, cause text, "
        "status text, reason text, due_at timestamptz"
    )
} on conflict do nothing"""
CHANGE_SQL = f"""
update zixly.notifications n set status = t.status, reason = t.reason, issue_id = t.issue_id
from {rows_from("id uuid, status text, reason text, issue_id uuid")} where n.id = t.id and n.status = 'PENDING'"""

TENANTS_SQL = "select id, time_zone from zixly.tenants"
LAST_DIGESTS_SQL = "select channel_id, max(day) as day from zixly.notifications where day > current_date - 7 group by channel_id"
ADD_DIGEST_SQL = """
insert into zixly.notifications (id, channel_id, tenant_id, about_tenant_id, kind, day, covers_from, covers_until)
values (%s, %s, %s, %s, 'digest', %s, %s, %s) on conflict do nothing"""

# A reminder is of what is still open; a channel that was switched off is not told later what happened meanwhile.
NEEDLESS_SQL = """
update zixly.notifications n set status = 'DROPPED', reason = lower(i.status)
from zixly.issues i
where n.kind = 'reminder' and n.status = 'PENDING' and n.due_at <= now() and (n.claimed_until is null or n.claimed_until < now())
  and i.id = n.issue_id and i.status <> 'OPEN'"""
SWITCHED_OFF_SQL = """
update zixly.notifications n
set status = 'DROPPED', reason = case when c.removed_at is null then 'channel_paused' else 'channel_removed' end
from zixly.notification_channels c
where n.status = 'PENDING' and c.id = n.channel_id and (c.removed_at is not null or c.paused_at is not null)
  and (n.claimed_until is null or n.claimed_until < now())"""

DUE_SQL = """
select distinct on (n.channel_id) n.channel_id, n.tenant_id, n.id, n.attempts
from zixly.notifications n join zixly.notification_channels c on c.id = n.channel_id
where n.status = 'PENDING' and n.due_at <= now() and (n.claimed_until is null or n.claimed_until < now())
  and (c.not_before is null or c.not_before <= now()) and c.paused_at is null and c.removed_at is null
order by n.channel_id, n.due_at, n.id limit %s"""


@dataclass(frozen=True)
class Filled:
    """What a look came to."""

    transitions: int = 0
    lines: int = 0
    """New lines that wait to be said."""
    digests: int = 0


@dataclass(frozen=True)
class DueChannel:
    """A channel that has something to say. `first` is its oldest line, `attempts` how often that was tried."""

    channel_id: UUID
    tenant_id: UUID | None
    first: UUID
    attempts: int


def fill(database: Database, *, pace: Pace, agency_zone: ZoneInfo, now: datetime | None = None) -> Filled:
    """Write down what is to be said of what happened since the last look, and the digests whose time has come. Does nothing while
    somebody else is at it. Raises `StoreUnavailable`."""
    at = now or datetime.now(UTC)
    with database.transaction() as rows:
        lock = rows.execute(LOCK_SQL, (FILLING,)).fetchone()
        if lock is None or not lock["is_mine"]:
            return Filled()
        channels = list(rows.execute(CHANNELS_SQL))
        rows.execute(SWITCHED_OFF_SQL)
        rows.execute(NEEDLESS_SQL)
        heard = list(rows.execute(UNTOLD_SQL, (PAGE,)))
        lines = hear(rows, heard, channels, pace=pace, now=at) if heard else 0
        return Filled(transitions=len(heard), lines=lines, digests=add_digests(rows, channels, agency_zone=agency_zone, now=at))


def due_channels(database: Database, *, limit: int = 20) -> list[DueChannel]:
    """Channels whose messages are to go out now."""
    with database.transaction() as rows:
        found = rows.execute(DUE_SQL, (limit,))
        return [DueChannel(row["channel_id"], row["tenant_id"], row["id"], row["attempts"]) for row in found]


def hear(rows: Rows, heard: Sequence[Mapping[str, Any]], channels: Sequence[Mapping[str, Any]], *, pace: Pace, now: datetime) -> int:
    """Take the transitions to each channel that they concern; how many new lines wait."""
    listening = [(channel, [one for one in heard if channel["tenant_id"] in {None, one["tenant_id"]}]) for channel in channels]
    known = lines_of(rows, [channel["id"] for channel in channels], sorted({one["cause"] for one in heard}))
    recent = {row["channel_id"]: row for row in rows.execute(RECENT_SQL)}
    waiting = 0
    for channel, concerned in listening:
        last = recent.get(channel["id"], {})
        soonest = soonest_for(now, last_sent_at=last.get("last_sent_at"), recent=last.get("recent", 0), pace=pace)
        for cause in dict.fromkeys(one["cause"] for one in concerned):
            wants = {Kind(kind) for kind in channel["wants"]}
            conversation = Conversation(known[channel["id"], cause], wants=wants, pace=pace, soonest=soonest)
            told = [one for one in concerned if one["cause"] == cause]
            for one in told:
                conversation.hear(heard_of(one), now=now)
            keep(rows, conversation.lines, channel=channel, about=told[0]["tenant_id"], cause=cause)
            waiting += sum(1 for line in conversation.lines if line.is_new and line.is_waiting and line.kind is not Kind.REMINDER)
    rows.execute(TOLD_SQL, ([one["id"] for one in heard],))
    return waiting


def heard_of(row: Mapping[str, Any]) -> Heard:
    was_ignored = row["before"] == Transition.IGNORED
    return Heard(id=row["id"], issue_id=row["issue_id"], transition=Transition(row["transition"]), was_ignored=was_ignored)


def lines_of(rows: Rows, channel_ids: Sequence[UUID], causes: Sequence[str]) -> Mapping[tuple[UUID, str], list[Line]]:
    """What each channel was told about each cause, or waits to be."""
    found: defaultdict[tuple[UUID, str], list[Line]] = defaultdict(list)
    for row in rows.execute(LINES_SQL, (list(channel_ids), list(causes))):
        line = Line(
            *(row["id"], Kind(row["kind"]), row["issue_id"], row["transition_id"], row["due_at"], row["created_at"]),
            status=Status(row["status"]),
            reason=row["reason"],
            is_claimed=row["is_claimed"],
        )
        found[row["channel_id"], row["cause"]].append(line)
    return found


def keep(rows: Rows, lines: Sequence[Line], *, channel: Mapping[str, Any], about: UUID, cause: str) -> None:
    """Write down what a conversation added and changed."""
    added = [
        (
            *(line.id, channel["id"], channel["tenant_id"], about, line.kind.value, line.issue_id, line.transition_id, cause),
            *(line.status.value, line.reason, line.due_at),
        )
        for line in lines
        if line.is_new
    ]
    changed = [(line.id, line.status.value, line.reason, line.issue_id) for line in lines if line.is_changed and not line.is_new]
    if added:
        rows.execute(ADD_SQL, columns_of(added))
    if changed:
        rows.execute(CHANGE_SQL, columns_of(changed))


def add_digests(rows: Rows, channels: Sequence[Mapping[str, Any]], *, agency_zone: ZoneInfo, now: datetime) -> int:
    """A line for each tenant that a digest is about, which all go into one message."""
    wanting = [channel for channel in channels if channel["digest_at"] is not None]
    if not wanting:
        return 0
    zones: dict[UUID, str] = {row["id"]: row["time_zone"] for row in rows.execute(TENANTS_SQL)}
    last = {row["channel_id"]: row["day"] for row in rows.execute(LAST_DIGESTS_SQL)}
    digests = 0
    for channel in wanting:
        tenant_id: UUID | None = channel["tenant_id"]
        zone = zone_or(zones.get(tenant_id) if tenant_id else None, agency_zone)
        digest = due_digest(now, at=channel["digest_at"], zone=zone, since=channel["created_at"])
        if digest is None or (channel["id"] in last and last[channel["id"]] >= digest.day):
            continue
        digests += 1
        for about in [tenant_id] if tenant_id else zones:
            values = (new_id(), channel["id"], tenant_id, about, digest.day, digest.begin, digest.end)
            rows.execute(ADD_DIGEST_SQL, values)
    return digests
