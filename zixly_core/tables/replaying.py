"""Replays, and the index by which payloads are searched for values."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from zixly_core.tables.base import EMPTY, NOW, At, key, metadata, one_of, required, to

replays = Table(
    "replays",
    metadata,
    key(),
    to("tenant_id", "tenants.id", cascade=True),
    required("actor"),
    required("mode"),
    required("is_dry_run", Boolean),
    required("chosen", JSONB, server_default=EMPTY),
    Column("rate_per_minute", Integer),
    required("matched", Integer),
    required("left_out", Integer),
    required("made", Integer),
    required("created_at", At, server_default=NOW),
    Column("stopped_at", At),
    Column("stopped_by", Text),
    one_of("mode", "'CHECKPOINT', 'START', 'EDITED'"),
    Index("replays_by_tenant_and_age", "tenant_id", "created_at", "id"),
)

payload_searches = Table(
    "payload_searches",
    metadata,
    key(),
    to("tenant_id", "tenants.id", cascade=True),
    required("actor"),
    required("path"),
    required("event_ids", ARRAY(Uuid)),
    required("is_complete", Boolean),
    required("created_at", At, server_default=NOW),
    Index("payload_searches_by_tenant", "tenant_id", "created_at"),
)

payload_values = Table(
    "payload_values",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Uuid, primary_key=True, autoincrement=False),
    required("tenant_id", Uuid),
    Index("payload_values_of_event", "event_id"),
)

payload_index = Table(
    "payload_index",
    metadata,
    Column("id", Boolean, primary_key=True, server_default=text("true")),
    required("indexed_through", Uuid),
    required("checked_through", Uuid),
    required("updated_at", At, server_default=NOW),
    CheckConstraint("id"),
)
