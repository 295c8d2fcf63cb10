"""Who the platform works for: tenants, people, and what each wants of the workflows."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

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
    Column("issuer", Text),
    Column("subject", Text),
    Column("signed_in_at", At),
    UniqueConstraint("issuer", "subject", name="users_known_as"),
    CheckConstraint("(issuer is null) = (subject is null)", name="users_known_wholly"),
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

machine_tokens = Table(
    "machine_tokens",
    metadata,
    key(),
    to("tenant_id", "tenants.id", nullable=True, cascade=True),
    required("name"),
    required("role"),
    one_of("role", "'ADMIN', 'EDITOR', 'VIEWER'"),
    required("scopes", ARRAY(Text)),
    required("sees_payloads", Boolean, server_default=text("false")),
    required("secret_sha256", LargeBinary),
    required("made_by"),
    Column("made_by_user", Uuid),
    Column("made_with", Uuid),
    required("created_at", At, server_default=NOW),
    required("expires_at", At),
    Column("last_used_at", At),
    Column("revoked_at", At),
    Column("revoked_by", Text),
    Index("machine_tokens_by_tenant", "tenant_id", "created_at"),
    Index("machine_tokens_by_maker", "made_by_user", postgresql_where=text("made_by_user is not null")),
    Index("machine_tokens_by_token", "made_with", postgresql_where=text("made_with is not null")),
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
