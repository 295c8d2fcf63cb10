"""Connected accounts, what authorises them, what they listen to and what they may be asked."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from zixly_core.tables.base import EMPTY, NOW, At, key, metadata, one_of, required, to
from zixly_core.tables.subscriptions import WATCH_STATES

connections = Table(
    "connections",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    required("system"),
    required("external_id"),
    required("name"),
    required("status", server_default="ACTIVE"),
    Column("paused_at", At),
    Column("parked_until", At),
    Column("parked_reason", Text),
    required("settings", JSONB, server_default=EMPTY),
    required("created_at", At, server_default=NOW),
    Column("grant_id", Uuid),
    Column("settings_saved_at", At),
    Column("settings_checked_at", At),
    Column("check_wanted_at", At),
    Column("watched_at", At),
    Column("watched_until", At),
    Column("watch_state", Text),
    one_of("status", "'ACTIVE', 'DISCONNECTED'"),
    one_of("watch_state", WATCH_STATES),
    UniqueConstraint("system", "external_id"),
    ForeignKeyConstraint(["tenant_id", "grant_id"], ["zixly.grants.tenant_id", "zixly.grants.id"]),
    Index("connections_of_tenant", "tenant_id", "system"),
    Index("connections_of_grant", "grant_id"),
    Index("connections_to_check", "settings_saved_at", postgresql_where=text("settings_saved_at is not null")),
)

grants = Table(
    "grants",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    required("system"),
    Column("ciphertext", LargeBinary),
    Column("secret_version", Text),
    required("version", BigInteger, server_default=text("1")),
    Column("expires_at", At),
    required("refreshed_at", At, server_default=NOW),
    CheckConstraint("num_nonnulls(ciphertext, secret_version) = 1"),
    UniqueConstraint("tenant_id", "id"),
    Index("grants_by_refresh", "system", "refreshed_at"),
)

signing_secrets = Table(
    "signing_secrets",
    metadata,
    key(),
    to("connection_id", "connections.id", cascade=True),
    required("ciphertext", LargeBinary),
    required("created_at", At, server_default=NOW),
    Column("retired_at", At),
    to("subscription_id", "subscriptions.id", nullable=True, cascade=True),
    Index("signing_secrets_of_connection", "connection_id", postgresql_where=text("retired_at is null")),
    Index("signing_secrets_of_subscription", "subscription_id", unique=True, postgresql_where=text("retired_at is null")),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    to("connection_id", "connections.id", cascade=True),
    required("system"),
    required("kind"),
    Column("token_sha256", Text, unique=True),
    Column("external_id", Text),
    Column("resource", Text),
    Column("topic", Text),
    required("status", server_default="PENDING"),
    Column("job_id", Uuid),
    Column("expires_at", At),
    Column("used_at", At),
    required("created_at", At, server_default=NOW),
    Column("last_seen_at", At),
    required("details", JSONB, server_default=EMPTY),
    required("due_at", At, server_default=NOW),
    Column("tried_at", At),
    one_of("kind", "'signed', 'once', 'handshake'"),
    one_of("status", "'WANTED', 'PENDING', 'ACTIVE', 'GONE'"),
    Index("subscriptions_of_connection", "connection_id", "status"),
    Index(
        "subscriptions_once_per_resource",
        "connection_id",
        "resource",
        unique=True,
        postgresql_where=text("kind = 'handshake' and status <> 'GONE'"),
    ),
    Index("subscriptions_to_make", "due_at", postgresql_where=text("kind = 'handshake' and status in ('WANTED', 'PENDING')")),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    key(),
    to("tenant_id", "tenants.id", cascade=True),
    required("system"),
    Column("account", Text),
    required("actor"),
    required("status"),
    Column("ticket_sha256", LargeBinary, unique=True),
    Column("state_sha256", LargeBinary, unique=True),
    Column("browser_sha256", LargeBinary),
    Column("verifier", LargeBinary),
    Column("tokens", LargeBinary),
    required("accounts", JSONB, server_default=text("'[]'")),
    required("connection_ids", ARRAY(Uuid), server_default=EMPTY),
    Column("reason", Text),
    Column("message", Text),
    required("created_at", At, server_default=NOW),
    required("expires_at", At),
    one_of("status", "'INVITED', 'ASKED', 'ANSWERED', 'CHOOSING', 'DONE', 'FAILED'"),
    Index("oauth_states_by_age", "expires_at"),
)

api_budgets = Table(
    "api_budgets",
    metadata,
    to("connection_id", "connections.id", cascade=True, primary_key=True),
    to("tenant_id", "tenants.id"),
    required("system"),
    required("state", JSONB, server_default=EMPTY),
    required("updated_at", At, server_default=NOW),
)
