"""Who is told of what, and what was said."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Date, Index, Integer, LargeBinary, Table, Text, Time, Uuid, text

from zixly_core.tables.base import NOW, At, key, metadata, one_of, required, to

notification_channels = Table(
    "notification_channels",
    metadata,
    key(),
    to("tenant_id", "tenants.id", nullable=True, cascade=True),
    required("kind"),
    required("name"),
    required("address"),
    Column("secret", LargeBinary),
    required("wants", ARRAY(Text), server_default=text("'{opened,reminder,resolved}'")),
    Column("digest_at", Time),
    Column("paused_at", At),
    Column("removed_at", At),
    Column("not_before", At),
    required("sent", BigInteger, server_default=text("0")),
    required("failed", BigInteger, server_default=text("0")),
    required("created_at", At, server_default=NOW),
    one_of("kind", "'email', 'slack'"),
    CheckConstraint("wants <@ array['opened', 'reminder', 'resolved']"),
    CheckConstraint("kind = 'slack' or secret is null"),
    Index("notification_channels_of_tenant", "tenant_id", "created_at"),
)

notifications = Table(
    "notifications",
    metadata,
    key(),
    to("channel_id", "notification_channels.id", cascade=True),
    to("tenant_id", "tenants.id", nullable=True, cascade=True),
    to("about_tenant_id", "tenants.id", nullable=True, cascade=True),
    required("kind"),
    to("issue_id", "issues.id", nullable=True, cascade=True),
    Column("transition_id", Uuid),
    Column("cause", Text),
    Column("day", Date),
    Column("covers_from", At),
    Column("covers_until", At),
    required("status", server_default="PENDING"),
    Column("reason", Text),
    required("attempts", Integer, server_default=text("0")),
    required("created_at", At, server_default=NOW),
    required("due_at", At, server_default=NOW),
    Column("claimed_until", At),
    Column("sent_at", At),
    Column("message_id", Uuid),
    one_of("kind", "'opened', 'reminder', 'resolved', 'digest', 'test'"),
    one_of("status", "'PENDING', 'SENT', 'FAILED', 'DROPPED'"),
    CheckConstraint("(kind = 'digest') = (day is not null)"),
    CheckConstraint("(kind in ('opened', 'reminder', 'resolved')) = (issue_id is not null)"),
    Index(
        "notifications_once_per_transition",
        *("channel_id", "transition_id", "kind"),
        unique=True,
        postgresql_where=text("transition_id is not null"),
    ),
    Index("notifications_once_per_day", "channel_id", "about_tenant_id", "day", unique=True, postgresql_where=text("day is not null")),
    Index("notifications_due", "due_at", postgresql_where=text("status = 'PENDING'")),
    Index("notifications_of_channel", "channel_id", "created_at"),
    Index("notifications_of_cause", "channel_id", "cause", "created_at", postgresql_where=text("cause is not null")),
    Index("notifications_of_issue", "issue_id", postgresql_where=text("issue_id is not null")),
)
