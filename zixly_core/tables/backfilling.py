"""Backfills and how far each of their days has come."""

from __future__ import annotations

from sqlalchemy import ARRAY, Boolean, CheckConstraint, Column, Date, Index, Integer, Table, Text, text

from zixly_core.tables.base import EMPTY, NOW, At, key, metadata, one_of, required, to

NONE = text("0")

backfills = Table(
    "backfills",
    metadata,
    key(),
    to("tenant_id", "tenants.id"),
    to("connection_id", "connections.id"),
    to("workflow", "workflows.name"),
    required("system"),
    required("first_day", Date),
    required("last_day", Date),
    required("time_zone"),
    required("is_dry_run", Boolean, server_default=text("false")),
    required("status", server_default="WANTED"),
    required("actor"),
    Column("launched_by", Text),
    required("jobs_completed", Integer, server_default=NONE),
    required("jobs_failed", Integer, server_default=NONE),
    required("jobs_cancelled", Integer, server_default=NONE),
    required("created_at", At, server_default=NOW),
    Column("ended_at", At),
    one_of("status", "'WANTED', 'RUNNING', 'STOPPED', 'DONE', 'FAILED'"),
    CheckConstraint("first_day <= last_day"),
    Index("backfills_by_tenant", "tenant_id", "created_at"),
    Index("backfills_open", "created_at", postgresql_where=text("status in ('WANTED', 'RUNNING')")),
)

backfill_days = Table(
    "backfill_days",
    metadata,
    to("backfill_id", "backfills.id", cascade=True, primary_key=True),
    Column("day", Date, primary_key=True),
    to("tenant_id", "tenants.id"),
    required("state", server_default="WAITING"),
    required("records_found", Integer, server_default=NONE),
    required("records_known", Integer, server_default=NONE),
    required("jobs_made", Integer, server_default=NONE),
    Column("reached", At),
    required("reached_ids", ARRAY(Text), server_default=EMPTY),
    required("tries", Integer, server_default=NONE),
    required("due_at", At, server_default=NOW),
    Column("lease_until", At),
    Column("run_id", Text),
    Column("error", Text),
    Column("ended_at", At),
    one_of("state", "'WAITING', 'RUNNING', 'DONE', 'FAILED', 'STOPPED'"),
    Index("backfill_days_due", "due_at", postgresql_where=text("state in ('WAITING', 'RUNNING')")),
)
