"""Reconciliations, and the drifts that they found between sources, targets and our jobs."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from zixly_core.tables.base import EMPTY, NOW, At, key, metadata, one_of, required, to

reconciliations = Table(
    "reconciliations",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    to("connection_id", "connections.id", cascade=True),
    to("workflow", "workflows.name"),
    required("origin"),
    required("since", At),
    required("until", At),
    required("is_full", Boolean, server_default=text("false")),
    required("is_dry", Boolean, server_default=text("false")),
    required("status", server_default="WANTED"),
    required("progress", JSONB, server_default=EMPTY),
    required("counts", JSONB, server_default=EMPTY),
    required("tries", Integer, server_default=text("0")),
    Column("run_id", Text),
    Column("lease_until", At),
    required("due_at", At, server_default=NOW),
    Column("error_reason", Text),
    Column("error_message", Text),
    required("created_at", At, server_default=NOW),
    Column("started_at", At),
    Column("ended_at", At),
    one_of("origin", "'nightly', 'asked'"),
    one_of("status", "'WANTED', 'RUNNING', 'PARKED', 'DONE', 'FAILED'"),
    Index("reconciliations_of_workflow", "tenant_id", "workflow", "connection_id", "until"),
    Index(
        "reconciliations_one_open",
        *("connection_id", "workflow"),
        unique=True,
        postgresql_where=text("status in ('WANTED', 'RUNNING', 'PARKED')"),
    ),
    Index("reconciliations_open", "due_at", postgresql_where=text("status in ('WANTED', 'RUNNING', 'PARKED')")),
)

drifts = Table(
    "drifts",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    to("connection_id", "connections.id", cascade=True),
    to("workflow", "workflows.name"),
    required("record_key"),
    required("record_id"),
    required("kind"),
    Column("target", Text),
    required("fields", JSONB, server_default=EMPTY),
    required("status", server_default="OPEN"),
    to("found_by", "reconciliations.id", cascade=True),
    to("seen_by", "reconciliations.id", cascade=True),
    Column("job_id", Uuid),
    required("found_at", At, server_default=NOW),
    required("seen_at", At, server_default=NOW),
    Column("ended_at", At),
    one_of("kind", "'missing_event', 'field_drift', 'missing_target'"),
    one_of("status", "'OPEN', 'REPAIRING', 'REPAIRED', 'GONE', 'ACCEPTED'"),
    Index(
        "drifts_open",
        *("tenant_id", "workflow", "record_key", "kind"),
        unique=True,
        postgresql_where=text("status in ('OPEN', 'REPAIRING', 'ACCEPTED')"),
    ),
    Index("drifts_seen_by", "seen_by"),
    Index("drifts_found_by", "found_by"),
    Index("drifts_repairing", "job_id", postgresql_where=text("status = 'REPAIRING'")),
    Index("drifts_by_age", "tenant_id", "found_at"),
)
