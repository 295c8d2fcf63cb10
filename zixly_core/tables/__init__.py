"""The tables of schema `zixly` for SQLAlchemy Core: what queries are built from, and what a test compares with the database.

The migrations are the truth (`migrations/versions/`); access rules (roles, row-level security) stand only there.
"""

from __future__ import annotations

from zixly_core.tables.accounts import account_rests, api_budgets, connections, grants, oauth_states, signing_secrets, subscriptions
from zixly_core.tables.backfilling import backfill_days, backfills
from zixly_core.tables.base import metadata
from zixly_core.tables.clients import memberships, tenant_workflows, tenants, users, workflows
from zixly_core.tables.comparing import drifts, reconciliations
from zixly_core.tables.jobs import batches, job_attempts, job_counters, workflow_jobs, workflow_related_records
from zixly_core.tables.keeping import (
    archive_removals,
    deleted_counts,
    ledger_balance,
    payload_archives,
    restores,
    tenant_erasures,
    tenant_exports,
)
from zixly_core.tables.notifying import notification_channels, notifications
from zixly_core.tables.pausing import pauses
from zixly_core.tables.receiving import dedupe_keys, deliveries, events
from zixly_core.tables.replaying import payload_index, payload_searches, payload_values, replays
from zixly_core.tables.signing_in import sessions, sign_ins
from zixly_core.tables.subscriptions import holes, sequence_marks, subscription_checks
from zixly_core.tables.watching import audit_log, issue_transitions, issues
from zixly_core.tables.writing import effects, record_states

__all__ = [
    "account_rests",
    "api_budgets",
    "archive_removals",
    "audit_log",
    "backfill_days",
    "backfills",
    "batches",
    "connections",
    "dedupe_keys",
    "deleted_counts",
    "deliveries",
    "drifts",
    "effects",
    "events",
    "grants",
    "holes",
    "issue_transitions",
    "issues",
    "job_attempts",
    "job_counters",
    "ledger_balance",
    "memberships",
    "metadata",
    "notification_channels",
    "notifications",
    "oauth_states",
    "pauses",
    "payload_archives",
    "payload_index",
    "payload_searches",
    "payload_values",
    "reconciliations",
    "record_states",
    "replays",
    "restores",
    "sequence_marks",
    "sessions",
    "sign_ins",
    "signing_secrets",
    "subscription_checks",
    "subscriptions",
    "tenant_erasures",
    "tenant_exports",
    "tenant_workflows",
    "tenants",
    "users",
    "workflow_jobs",
    "workflow_related_records",
    "workflows",
]
