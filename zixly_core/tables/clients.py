"""Who the platform works for: tenants, people, and what each wants of the workflows."""

from __future__ import annotations

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, Integer, SmallInteger, Table, Text, UniqueConstraint, text

from zixly_core.tables.base import NOW, At, key, metadata, one_of, required, to

tenants = Table(
    "tenants",
    metadata,
    key(),
    required("slug", unique=True),
    required("name"),
    required("time_zone", server_default="Australia/Brisbane"),
    Column("paused_at", At),
    required("created_at", At, server_default=NOW),
    Column("priority", SmallInteger),
    CheckConstraint("priority between 0 and 2"),
    Column("erased_at", At),
)

users = Table(
    "users",
    metadata,
    key(),
    required("email", unique=True),
    required("name"),
    required("created_at", At, server_default=NOW),
)

memberships = Table(
    "memberships",
    metadata,
    key(),
    to("user_id", "users.id", cascade=True),
    to("tenant_id", "tenants.id", nullable=True, cascade=True),
    required("role"),
    one_of("role", "'ADMIN', 'EDITOR', 'VIEWER'"),
    required("sees_payloads", Boolean, server_default=text("false")),
    UniqueConstraint("user_id", "tenant_id", postgresql_nulls_not_distinct=True),
)

workflows = Table(
    "workflows",
    metadata,
    Column("name", Text, primary_key=True),
    required("system"),
    required("title"),
    required("triggers", ARRAY(Text)),
    required("priority", SmallInteger, server_default=text("1")),
    required("max_batch", Integer),
    required("enabled", Boolean, server_default=text("true")),
    Column("paused_at", At),
    required("needs_source", Boolean, server_default=text("true")),
    Column("record_form", Text),
    Column("chosen_priority", SmallInteger),
    CheckConstraint("chosen_priority between 0 and 2"),
    CheckConstraint("max_batch between 1 and 1000"),
)

tenant_workflows = Table(
    "tenant_workflows",
    metadata,
    to("tenant_id", "tenants.id", cascade=True, primary_key=True),
    to("workflow", "workflows.name", cascade=True, primary_key=True),
    required("enabled", Boolean),
    Column("priority", SmallInteger),
)
