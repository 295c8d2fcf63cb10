"""Channels as people set them up, and what was said on them; as role `api`, which cannot read back a sealed address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.ids import new_id
from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page

SHORT = Page(limit=50)

ADD_SQL = """
insert into zixly.notification_channels (id, tenant_id, kind, name, address, secret, wants, digest_at)
values (%(id)s, %(tenant_id)s, %(kind)s, %(name)s, %(address)s, %(secret)s, %(wants)s, %(digest_at)s)"""
VIEW_SQL = """
select c.id, c.tenant_id, t.slug as tenant, c.kind, c.name, c.address, c.wants, c.digest_at, c.paused_at, c.sent, c.failed, c.created_at,
  case when c.not_before > now() then c.not_before end as not_before,
  (select count(*) from zixly.notifications n where n.channel_id = c.id and n.status = 'PENDING' and n.due_at <= now()) as waiting
from zixly.notification_channels c left join zixly.tenants t on t.id = c.tenant_id
where c.removed_at is null and (%(id)s::uuid is null or c.id = %(id)s) and (%(tenant)s::text is null or t.slug = %(tenant)s)
order by t.slug nulls first, c.created_at, c.id"""
# What people may change, and nothing else can stand here.
CHANGEABLE = ("name", "address", "secret", "wants", "digest_at", "paused_at")
# The address goes at once, its secret too; what was sent stays to be seen.
REMOVE_SQL = """
update zixly.notification_channels set removed_at = now(), address = '', secret = null where id = %s and removed_at is null"""
TEST_SQL = "insert into zixly.notifications (id, channel_id, tenant_id, kind) values (%s, %s, %s, 'test')"
# A person asked: what kept the channel from sending may be mended.
TRY_NOW_SQL = "update zixly.notification_channels set not_before = null where id = %s"
LOG_SQL = """
select n.id, n.channel_id, c.name as channel, c.kind as channel_kind, t.slug as tenant, n.kind, n.issue_id, n.day, n.status, n.reason,
  n.attempts, n.created_at, n.due_at, n.sent_at, n.message_id
from zixly.notifications n
join zixly.notification_channels c on c.id = n.channel_id
left join zixly.tenants t on t.id = n.about_tenant_id
where (%(id)s::uuid is null or n.id = %(id)s) and (%(channel)s::uuid is null or n.channel_id = %(channel)s)
  and (%(issue)s::uuid is null or n.issue_id = %(issue)s)
  and (%(tenant)s::text is null or t.slug = %(tenant)s) and (%(status)s::text is null or n.status = %(status)s)
  and (%(before)s::timestamptz is null or (n.created_at, n.id) < (%(before)s, %(before_id)s::uuid))
order by n.created_at desc, n.id desc limit %(limit)s"""


@dataclass(frozen=True)
class NewChannel:
    """A channel that is to be. The id is known before, since a sealed address is bound to it."""

    id: UUID
    tenant_id: UUID | None
    kind: str
    name: str
    address: str
    secret: bytes | None = field(repr=False)
    wants: Sequence[str]
    digest_at: time | None


@dataclass(frozen=True)
class ChannelView:
    """A channel as people see it."""

    id: UUID
    tenant_id: UUID | None
    tenant: str | None
    kind: str
    name: str
    address: str
    wants: Sequence[str]
    digest_at: time | None
    paused_at: datetime | None
    not_before: datetime | None
    sent: int
    failed: int
    waiting: int
    created_at: datetime


@dataclass(frozen=True)
class LineView:
    """A line of the outbox as people see it."""

    id: UUID
    channel_id: UUID
    channel: str
    channel_kind: str
    tenant: str | None
    kind: str
    issue_id: UUID | None
    day: date | None
    status: str
    reason: str | None
    attempts: int
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    message_id: UUID | None


def add_channel(rows: Rows, channel: NewChannel, *, actor: str) -> None:
    """Set a channel up."""
    rows.execute(ADD_SQL, {**vars(channel), "wants": list(channel.wants)})
    audit(rows, "notification_channel.add", channel.id, tenant_id=channel.tenant_id, actor=actor, kind=channel.kind)


def change_channel(rows: Rows, channel: ChannelView, changes: Mapping[str, Any], *, actor: str) -> None:
    """Change some of `CHANGEABLE`; the log keeps which, not what to."""
    names = [name for name in CHANGEABLE if name in changes]
    if not names:
        return
    assignments = ", ".join(f"{name} = %({name})s" for name in names)
    rows.execute(f"update zixly.notification_channels set {assignments} where id = %(id)s", {**changes, "id": channel.id})
    fields = sorted({"address" if name == "secret" else name for name in names})
    audit(rows, "notification_channel.change", channel.id, tenant_id=channel.tenant_id, actor=actor, fields=fields)


def remove_channel(rows: Rows, channel: ChannelView, *, actor: str) -> None:
    """Nothing is sent there any more, and its address is forgotten."""
    rows.execute(REMOVE_SQL, (channel.id,))
    audit(rows, "notification_channel.remove", channel.id, tenant_id=channel.tenant_id, actor=actor)


def ask_for_trial(rows: Rows, channel: ChannelView, *, actor: str) -> UUID:
    """A test message, due now; the id of its line."""
    line_id = new_id()
    rows.execute(TRY_NOW_SQL, (channel.id,))
    rows.execute(TEST_SQL, (line_id, channel.id, channel.tenant_id))
    audit(rows, "notification_channel.test", channel.id, tenant_id=channel.tenant_id, actor=actor)
    return line_id


def channels_seen(rows: Rows, *, channel_id: UUID | None = None, tenant: str | None = None) -> list[ChannelView]:
    """Channels, as the scope of the transaction allows; the agency's own first."""
    with rows.cursor(row_factory=class_row(ChannelView)) as cursor:
        return cursor.execute(VIEW_SQL, {"id": channel_id, "tenant": tenant}).fetchall()


def lines_seen(
    rows: Rows,
    *,
    line_id: UUID | None = None,
    channel_id: UUID | None = None,
    issue_id: UUID | None = None,
    tenant: str | None = None,
    status: str | None = None,
    page: Page = SHORT,
) -> list[LineView]:
    """What was sent, is to be, or was not and why; newest first."""
    before, before_id = page.after or (None, None)
    values: dict[str, Any] = {"id": line_id, "channel": channel_id, "issue": issue_id, "tenant": tenant, "status": status}
    values |= {"limit": page.limit, "before": before, "before_id": before_id}
    with rows.cursor(row_factory=class_row(LineView)) as cursor:
        return cursor.execute(LOG_SQL, values).fetchall()


def audit(rows: Rows, action: str, channel_id: UUID, *, tenant_id: UUID | None, actor: str, **details: Any) -> None:
    note(rows, actor=actor, action=action, subject=channel_id, tenant_id=tenant_id, details=details)
