"""What is paused now: a row is a pause."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint, text

from zixly_core.tables.base import NOW, At, key, metadata, one_of, required, to

pauses = Table(
    "pauses",
    metadata,
    key(),
    required("kind"),
    required("subject"),
    to("tenant_id", "tenants.id", nullable=True, cascade=True),
    required("source", server_default="person"),
    Column("reason", Text),
    required("actor"),
    required("paused_at", At, server_default=NOW),
    Column("until", At),
    one_of("kind", "'tenant', 'system', 'workflow', 'connection'"),
    one_of("source", "'person', 'switch'"),
    UniqueConstraint("kind", "subject", "source"),
    Index("pauses_that_end", "until", postgresql_where=text("until is not null")),
)
