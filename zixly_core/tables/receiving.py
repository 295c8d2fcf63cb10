"""What came: deliveries, their events, and the keys that tell repeats."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from zixly_core.tables.base import NOW, At, key, metadata, one_of, required

deliveries = Table(
    "deliveries",
    metadata,
    key(),
    required("system"),
    required("path"),
    required("received_at", At),
    required("verdict"),
    Column("reason", Text),
    required("status", SmallInteger),
    required("headers", JSONB),
    required("body", LargeBinary),
    required("body_sha256", LargeBinary),
    required("event_count", Integer, server_default=text("0")),
    Column("sealed", LargeBinary),
    Column("reverified_at", At),
    Column("accepted_as", Uuid),
    Column("first_sequence", BigInteger),
    Column("last_sequence", BigInteger),
    Column("archive_id", Uuid),
    Column("trace_id", Uuid),
    one_of("verdict", "'accepted', 'duplicate', 'handshake', 'rejected', 'unroutable'"),
    Index("deliveries_by_age", "received_at"),
    Index("deliveries_by_system", "system", postgresql_using="brin"),
    Index("deliveries_numbered", "system", "received_at", postgresql_where=text("last_sequence is not null")),
    Index("deliveries_to_verify_again", "received_at", "id", postgresql_where=text("sealed is not null and accepted_as is null")),
    Index("deliveries_sealed", "id", postgresql_where=text("sealed is not null")),
    Index("deliveries_not_accepted", "system", "verdict", "received_at", postgresql_where=text("verdict <> 'accepted'")),
    Index("deliveries_accepted_as", "accepted_as", postgresql_where=text("accepted_as is not null")),
    Index("deliveries_of_trace", "trace_id", postgresql_where=text("trace_id is not null")),
    Index("deliveries_of_archive", "archive_id", postgresql_where=text("archive_id is not null")),
    Index("deliveries_to_archive", "received_at", postgresql_where=text("body <> ''")),
)

dedupe_keys = Table(
    "dedupe_keys",
    metadata,
    Column("system", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    required("event_id", Uuid),
    required("created_at", At, server_default=NOW),
    Index("dedupe_keys_by_age", "created_at"),
)

events = Table(
    "events",
    metadata,
    key(),
    required("delivery_id", Uuid),
    Column("tenant_id", Uuid),
    Column("connection_id", Uuid),
    required("system"),
    required("kind"),
    required("external_id"),
    required("record_key"),
    required("record_id"),
    required("dedupe_key"),
    required("outcome"),
    Column("duplicate_of", Uuid),
    required("occurred_at", At),
    required("received_at", At),
    Column("payload", LargeBinary),
    Column("archive_id", Uuid),
    Column("trace_id", Uuid),
    one_of("outcome", "'jobs', 'filtered', 'duplicate', 'unroutable'"),
    Index("events_of_delivery", "delivery_id"),
    Index("events_by_tenant_and_age", "tenant_id", "received_at"),
    Index("events_of_record", "tenant_id", "record_key", "occurred_at"),
    Index("events_of_record_id", "record_id", "received_at"),
    Index("events_of_trace", "trace_id", postgresql_where=text("trace_id is not null")),
    Index("events_of_archive", "archive_id", postgresql_where=text("archive_id is not null")),
    Index("events_to_archive", "received_at", postgresql_where=text("payload is not null")),
)
