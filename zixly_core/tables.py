"""The tables of schema `zixly` for SQLAlchemy Core: what queries are built from, and what a test compares with the database.

The migrations are the truth (`migrations/versions/`); access rules (roles, row-level security) stand only there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="zixly")

At = DateTime(timezone=True)
NOW = text("now()")
EMPTY = text("'{}'")
OPEN = "('QUEUED', 'RUNNING')"


def key(name: str = "id") -> Column[Any]:
    """A primary key that Python makes."""
    return Column(name, Uuid, primary_key=True, autoincrement=False)


def to(name: str, table: str, *, nullable: bool = False, cascade: bool = False, primary_key: bool = False) -> Column[Any]:
    """A reference to another table's key."""
    reference = ForeignKey(f"zixly.{table}", ondelete="CASCADE" if cascade else None)
    kind = Text if table.endswith(".name") else Uuid
    return Column(name, kind, reference, nullable=nullable, primary_key=primary_key, autoincrement=False)


def required(name: str, kind: Any = Text, **options: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **options)


def one_of(name: str, values: str) -> CheckConstraint:
    return CheckConstraint(f"{name} in ({values})")


tenants = Table(
    "tenants",
    metadata,
    key(),
    required("slug", unique=True),
    required("name"),
    required("time_zone", server_default="Australia/Brisbane"),
    Column("paused_at", At),
    required("created_at", At, server_default=NOW),
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
    UniqueConstraint("user_id", "tenant_id", postgresql_nulls_not_distinct=True),
)
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
    one_of("status", "'ACTIVE', 'DISCONNECTED'"),
    UniqueConstraint("system", "external_id"),
    Index("connections_of_tenant", "tenant_id", "system"),
)
connection_secrets = Table(
    "connection_secrets",
    metadata,
    to("connection_id", "connections.id", cascade=True, primary_key=True),
    to("tenant_id", "tenants.id"),
    required("ciphertext", LargeBinary),
    required("version", BigInteger, server_default=text("1")),
    Column("expires_at", At),
    required("updated_at", At, server_default=NOW),
)
signing_secrets = Table(
    "signing_secrets",
    metadata,
    key(),
    to("connection_id", "connections.id", cascade=True),
    required("ciphertext", LargeBinary),
    required("created_at", At, server_default=NOW),
    Column("retired_at", At),
    Index("signing_secrets_of_connection", "connection_id", postgresql_where=text("retired_at is null")),
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
    one_of("verdict", "'accepted', 'duplicate', 'handshake', 'rejected', 'unroutable'"),
    Index("deliveries_by_age", "received_at"),
    Index("deliveries_not_accepted", "system", "verdict", "received_at", postgresql_where=text("verdict <> 'accepted'")),
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
    one_of("outcome", "'jobs', 'filtered', 'duplicate', 'unroutable'"),
    Index("events_of_delivery", "delivery_id"),
    Index("events_by_tenant_and_age", "tenant_id", "received_at"),
    Index("events_of_record", "tenant_id", "record_key", "occurred_at"),
)
batches = Table(
    "batches",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    to("connection_id", "connections.id"),
    required("workflow"),
    required("system"),
    required("lane"),
    required("priority", SmallInteger),
    required("job_count", Integer),
    Column("run_id", Text),
    required("created_at", At, server_default=NOW),
    Column("claimed_at", At),
    Column("ended_at", At),
    one_of("lane", "'live', 'bulk'"),
    Index("batches_open", "system", "lane", "created_at", postgresql_where=text("ended_at is null")),
    Index("batches_by_age", "created_at"),
)
workflow_jobs = Table(
    "workflow_jobs",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    to("connection_id", "connections.id"),
    Column("event_id", Uuid),
    Column("batch_id", Uuid),
    required("workflow_type"),
    required("system"),
    required("status", server_default="QUEUED"),
    required("lane", server_default="live"),
    required("priority", SmallInteger, server_default=text("1")),
    required("origin", server_default="event"),
    Column("origin_job_id", Uuid),
    required("record_key"),
    required("record_id"),
    required("occurred_at", At),
    required("trigger_data", JSONB, server_default=EMPTY),
    required("checkpoint", JSONB, server_default=EMPTY),
    required("execution_log", JSONB, server_default=text("'[]'")),
    Column("result", JSONB),
    required("metrics", JSONB, server_default=EMPTY),
    Column("error_message", Text),
    Column("error_reason", Text),
    required("dead_letter", Boolean, server_default=text("false")),
    required("attempts", Integer, server_default=text("0")),
    required("fence", Integer, server_default=text("0")),
    Column("last_run_id", Text),
    Column("lease_until", At),
    Column("run_id", Text),
    Column("cancel_requested_at", At),
    Column("waiting_until", At),
    required("due_at", At, server_default=NOW),
    Column("parked_reason", Text),
    required("created_at", At, server_default=NOW),
    Column("handed_over_at", At),
    Column("first_op_at", At),
    Column("started_at", At),
    Column("completed_at", At),
    one_of("status", "'QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'"),
    one_of("lane", "'live', 'bulk'"),
    one_of("origin", "'event', 'backfill', 'reconciliation', 'replay', 'follow-up', 'manual'"),
    Index(
        "jobs_due",
        "system",
        "tenant_id",
        "priority",
        "due_at",
        "id",
        postgresql_where=text("status = 'QUEUED' and batch_id is null"),
    ),
    Index("jobs_due_by_age", "due_at", postgresql_where=text("status = 'QUEUED' and batch_id is null")),
    Index("jobs_in_hand", "tenant_id", "record_key", postgresql_where=text(f"status in {OPEN} and batch_id is not null")),
    Index("jobs_of_batch", "batch_id", postgresql_where=text("batch_id is not null")),
    Index("jobs_of_event", "event_id"),
    Index("jobs_by_tenant_and_status", "tenant_id", "status", "created_at"),
    Index("jobs_by_type_and_status", "workflow_type", "status", "created_at"),
    Index("jobs_of_record", "tenant_id", "record_key", "created_at"),
    Index("jobs_by_age", "created_at"),
    Index("jobs_of_last_run", "last_run_id", postgresql_where=text("last_run_id is not null")),
    Index("jobs_dead", "tenant_id", "completed_at", postgresql_where=text("dead_letter")),
)
job_attempts = Table(
    "job_attempts",
    metadata,
    to("job_id", "workflow_jobs.id", cascade=True, primary_key=True),
    required("attempt", Integer),
    Column("fence", Integer, primary_key=True, autoincrement=False),
    required("tenant_id", Uuid),
    Column("run_id", Text),
    required("outcome"),
    Column("error_reason", Text),
    Column("error_message", Text),
    Column("started_at", At),
    required("ended_at", At, server_default=NOW),
    one_of("outcome", "'completed', 'failed', 'retry', 'parked', 'vanished', 'timeout', 'cancelled', 'handed_back'"),
)
workflow_related_records = Table(
    "workflow_related_records",
    metadata,
    to("job_id", "workflow_jobs.id", cascade=True, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("record_type", Text, primary_key=True),
    Column("record_id", Text, primary_key=True),
    Column("action", Text, primary_key=True),
    required("tenant_id", Uuid),
    Column("url", Text),
    required("at", At, server_default=NOW),
    one_of("action", "'READ', 'UPDATE', 'CREATE'"),
    Index("related_records_by_record", "tenant_id", "system", "record_type", "record_id"),
)
effects = Table(
    "effects",
    metadata,
    to("tenant_id", "tenants.id", primary_key=True),
    Column("effect_key", Text, primary_key=True),
    required("job_id", Uuid),
    required("fence", Integer),
    required("system"),
    required("operation"),
    required("target"),
    required("state"),
    required("source_version", At),
    required("content_sha256", LargeBinary),
    Column("result", JSONB),
    required("intended_at", At, server_default=NOW),
    Column("done_at", At),
    one_of("state", "'INTENDED', 'DONE', 'DROPPED'"),
    Index("effects_of_job", "job_id"),
    Index("effects_intended", "tenant_id", "target", postgresql_where=text("state = 'INTENDED'")),
)
record_states = Table(
    "record_states",
    metadata,
    to("tenant_id", "tenants.id", primary_key=True),
    Column("workflow", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("record_key", Text, primary_key=True),
    required("version", At),
    required("state", JSONB, server_default=EMPTY),
    required("updated_at", At, server_default=NOW),
    one_of("role", "'source', 'target'"),
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
    Index("audit_log_by_tenant_and_age", "tenant_id", "at"),
)
job_counters = Table(
    "job_counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("job_type", Text, primary_key=True),
    Column("status", Text, primary_key=True, server_default=""),
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    required("value", Double, server_default=text("0")),
    required("buckets", ARRAY(BigInteger), server_default=EMPTY),
)
