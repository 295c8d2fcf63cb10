"""What became of webhooks: how far numbered deliveries were looked through, checks, and times for which events are missing."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from zixly_core.tables.base import EMPTY, NOW, At, key, metadata, one_of, required, to

WATCH_STATES = "'well', 'mended', 'lost', 'silent', 'failing', 'unknown'"

sequence_marks = Table(
    "sequence_marks",
    metadata,
    Column("system", Text, primary_key=True),
    required("complete_to", BigInteger),
    required("reached_at", At),
    required("began_at", At),
    required("looked_to", At),
    required("updated_at", At, server_default=NOW),
)

subscription_checks = Table(
    "subscription_checks",
    metadata,
    key(),
    to("tenant_id", "tenants.id", cascade=True),
    to("connection_id", "connections.id", cascade=True),
    required("system"),
    required("at", At, server_default=NOW),
    required("state"),
    required("findings", JSONB, server_default=EMPTY),
    one_of("state", WATCH_STATES),
    Index("subscription_checks_of_connection", "connection_id", "at"),
    Index("subscription_checks_by_age", "at"),
)

holes = Table(
    "holes",
    metadata,
    key(),
    to("tenant_id", "tenants.id", cascade=True),
    to("connection_id", "connections.id", cascade=True),
    required("system"),
    required("kind"),
    required("status", server_default="OPEN"),
    required("since", At),
    Column("until", At),
    Column("first_sequence", BigInteger),
    Column("last_sequence", BigInteger),
    Column("resource", Text),
    required("found_at", At, server_default=NOW),
    Column("recovered_to", At),
    Column("recovered_at", At),
    Column("tried_at", At),
    required("objects", Integer, server_default=text("0")),
    required("jobs", Integer, server_default=text("0")),
    Column("reason", Text),
    one_of("kind", "'sequence', 'subscription', 'silence', 'missed'"),
    one_of("status", "'OPEN', 'RECOVERED'"),
    Index("holes_of_connection", "connection_id", "found_at"),
    Index("holes_open", "connection_id", postgresql_where=text("status = 'OPEN'")),
    Index("holes_by_tenant", "tenant_id", "found_at"),
)
