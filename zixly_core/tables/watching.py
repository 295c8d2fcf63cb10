"""What people are told: issues and what became of them, and the log of what people did."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import INET, JSONB

from zixly_core.tables.base import EMPTY, NOW, At, key, metadata, one_of, required, to

issues = Table(
    "issues",
    metadata,
    key(),
    to("tenant_id", "tenants.id", cascade=True),
    required("system"),
    required("operation"),
    required("reason"),
    to("connection_id", "connections.id", nullable=True, cascade=True),
    required("title"),
    Column("link", Text),
    required("status", server_default="OPEN"),
    required("count", Integer, server_default=text("1")),
    required("first_seen_at", At, server_default=NOW),
    required("last_seen_at", At, server_default=NOW),
    Column("owner", Text),
    Column("note", Text),
    Column("acknowledged_at", At),
    Column("resolved_at", At),
    one_of("status", "'OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'IGNORED'"),
    Index(
        "issues_unresolved",
        *("tenant_id", "system", "operation", "reason", "connection_id"),
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=text("status <> 'RESOLVED'"),
    ),
    Index("issues_by_tenant", "tenant_id", "last_seen_at"),
)

issue_transitions = Table(
    "issue_transitions",
    metadata,
    key(),
    to("issue_id", "issues.id", cascade=True),
    to("tenant_id", "tenants.id", cascade=True),
    required("transition"),
    required("at", At, server_default=NOW),
    required("actor"),
    Column("told_at", At),
    one_of("transition", "'opened', 'reopened', 'acknowledged', 'ignored', 'resolved'"),
    Index("issue_transitions_of_issue", "issue_id", "at"),
    Index("issue_transitions_untold", "at", postgresql_where=text("told_at is null")),
)

audit_log = Table(
    "audit_log",
    metadata,
    key(),
    required("at", At, server_default=NOW),
    Column("tenant_id", Uuid),
    required("actor"),
    required("action"),
    required("subject"),
    required("details", JSONB, server_default=EMPTY),
    Column("address", INET),
    Column("user_id", Uuid),
    Column("token_id", Uuid),
    Column("request_id", Uuid),
    Column("written_as", Text, server_default=text("current_user")),
    Index("audit_log_by_tenant_and_age", "tenant_id", "at"),
    Index("audit_log_by_age", "at", "id"),
)
