"""How long things are kept: archives of old payloads, what was counted before it was deleted, and tenants exported or erased."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from zixly_core.tables.base import EMPTY, NOW, At, key, metadata, one_of, required, to

payload_archives = Table(
    "payload_archives",
    metadata,
    key(),
    to("tenant_id", "tenants.id", nullable=True),
    required("object_key", unique=True),
    required("day", Date),
    required("state", server_default="WRITING"),
    required("members", Integer),
    required("bytes", BigInteger, server_default=text("0")),
    required("created_at", At, server_default=NOW),
    one_of("state", "'WRITING', 'KEPT', 'LEFT'"),
    Index("payload_archives_by_tenant", "tenant_id", "day"),
    Index("payload_archives_unfinished", "created_at", postgresql_where=text("state <> 'KEPT'")),
)

archive_removals = Table(
    "archive_removals",
    metadata,
    to("archive_id", "payload_archives.id", cascade=True, primary_key=True),
    Column("member_id", Uuid, primary_key=True, autoincrement=False),
)

deleted_counts = Table(
    "deleted_counts",
    metadata,
    required("day", Date),
    Column("tenant_id", Uuid),
    required("system"),
    required("kind"),
    required("outcome"),
    required("count", BigInteger),
    one_of("kind", "'event', 'job'"),
    UniqueConstraint("day", "tenant_id", "system", "kind", "outcome", postgresql_nulls_not_distinct=True),
)

ledger_balance = Table(
    "ledger_balance",
    metadata,
    Column("slice", At, primary_key=True),
    required("events", BigInteger),
    required("jobs", BigInteger),
    required("balanced_at", At, server_default=NOW),
)

restores = Table(
    "restores",
    metadata,
    key(),
    required("taken_at", At),
    required("restored_at", At, server_default=NOW),
)

tenant_exports = Table(
    "tenant_exports",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    required("status", server_default="ASKED"),
    required("asked_by"),
    required("asked_at", At, server_default=NOW),
    Column("tried_at", At),
    Column("ready_at", At),
    Column("fetched_at", At),
    required("counts", JSONB, server_default=EMPTY),
    Column("reason", Text),
    one_of("status", "'ASKED', 'READY', 'FETCHED', 'FAILED', 'GONE'"),
    Index("tenant_exports_open", "asked_at", postgresql_where=text("status <> 'GONE'")),
)

tenant_erasures = Table(
    "tenant_erasures",
    metadata,
    to("tenant_id", "tenants.id", primary_key=True),
    required("asked_by"),
    required("asked_at", At, server_default=NOW),
    Column("tried_at", At),
    Column("done_at", At),
    required("accounts", JSONB, server_default=text("'[]'")),
    required("counts", JSONB, server_default=EMPTY),
    required("by_hand", JSONB, server_default=text("'[]'")),
    Index("tenant_erasures_open", "asked_at", postgresql_where=text("done_at is null")),
)
