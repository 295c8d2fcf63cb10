"""Where personal data lies: what every column that could hold some holds, and what becomes of it when a tenant is erased.

Export and erasure read this table, and a test compares it with the database: a new column of text, JSON or bytes is classified
here, or the test fails. Columns of other types (ids, moments, numbers) are no person's data and need no line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# Tables in which a tenant's rows bear its id.
BY_TENANT = "tenant_id = %(tenant)s"


class Holds(StrEnum):
    """What a column holds."""

    IDS = "ids"
    """Ids, codes, counts, our own fixed words; the audit log and the ledger consist of these, and they stay."""
    PERSONAL = "personal"
    """What was received about people, or computed from that."""
    SECRET = "secret"  # noqa: S105 - a kind of column
    """Tokens, keys, and what proves to know them. Never exported."""
    WORDS = "words"
    """Free words of people or programs, in which a name may stand."""


class Erasing(StrEnum):
    """What becomes of a tenant's rows when it is erased."""

    DELETE = "delete"
    EMPTY = "empty"
    """The row stays with its ids and counts; its personal, secret and wordy columns are emptied."""
    KEEP = "keep"
    """It holds ids and counts only."""


@dataclass(frozen=True)
class TableHolds:
    """One table. `of_tenant` is the condition that finds a tenant's rows (None: they are nobody's, or found in another way)."""

    erasing: Erasing
    columns: Mapping[str, Holds]
    of_tenant: str | None = BY_TENANT
    is_exported: bool = True
    empty: Mapping[str, str] = field(default_factory=dict)
    """What a column is emptied to, as SQL, where that is not null."""

    def columns_of(self, *kinds: Holds) -> list[str]:
        return [name for name, holds in self.columns.items() if holds in kinds]


def holds(
    erasing: Erasing,
    *,
    ids: str = "",
    personal: str = "",
    hidden: str = "",
    words: str = "",
    of_tenant: str | None = BY_TENANT,
    is_exported: bool = True,
    empty: Mapping[str, str] | None = None,
) -> TableHolds:
    """A line of the table: the names of columns by what they hold."""
    kinds = ((Holds.IDS, ids), (Holds.PERSONAL, personal), (Holds.SECRET, hidden), (Holds.WORDS, words))
    columns = {name: kind for kind, names in kinds for name in names.split()}
    return TableHolds(erasing, columns, of_tenant=of_tenant, is_exported=is_exported and of_tenant is not None, empty=empty or {})


DELETE, EMPTY, KEEP = Erasing.DELETE, Erasing.EMPTY, Erasing.KEEP
OF_CONNECTIONS = "connection_id in (select id from zixly.connections where tenant_id = %(tenant)s)"
OF_PEOPLE = "user_id in (select user_id from zixly.memberships where tenant_id = %(tenant)s)"

TABLES: Mapping[str, TableHolds] = {
    # Clients
    "tenants": holds(EMPTY, ids="slug time_zone", words="name", of_tenant="id = %(tenant)s", empty={"name": "''"}),
    "users": holds(KEEP, ids="issuer", personal="email name subject", of_tenant=None),  # people of one tenant only go with their membership
    "memberships": holds(DELETE, ids="role"),
    "machine_tokens": holds(DELETE, ids="role scopes made_by revoked_by", hidden="secret_sha256", words="name", is_exported=False),
    "sessions": holds(DELETE, hidden="token_sha256 sid_sha256", of_tenant=OF_PEOPLE, is_exported=False),
    "sign_ins": holds(KEEP, ids="state_sha256 browser_sha256 place status", of_tenant=None),  # hashes of random values, for an hour
    "tenant_workflows": holds(DELETE, ids="workflow"),
    "workflows": holds(KEEP, ids="name system title triggers record_form", of_tenant=None),
    # Accounts
    "connections": holds(
        EMPTY,
        ids="system external_id status parked_reason watch_state",
        words="name settings",
        empty={"name": "''", "settings": "'{}'"},
    ),
    "grants": holds(DELETE, ids="system secret_version", hidden="ciphertext", is_exported=False),
    "signing_secrets": holds(DELETE, hidden="ciphertext", of_tenant=OF_CONNECTIONS, is_exported=False),
    "subscriptions": holds(DELETE, ids="system kind external_id resource topic status", hidden="token_sha256", words="details"),
    "oauth_states": holds(
        DELETE,
        ids="system actor status reason connection_ids",
        personal="account accounts",
        hidden="ticket_sha256 state_sha256 browser_sha256 verifier tokens",
        words="message",
        is_exported=False,
    ),
    "api_budgets": holds(DELETE, ids="system state"),
    # What came. Bodies and headers of deliveries span tenants; what concerns one tenant is in its events.
    "deliveries": holds(
        EMPTY,
        ids="system path verdict reason body_sha256",
        personal="headers body sealed",
        of_tenant=None,
        empty={"headers": "'{}'", "body": "''"},
    ),
    "events": holds(EMPTY, ids="system kind external_id record_key record_id dedupe_key outcome", personal="payload"),
    "dedupe_keys": holds(KEEP, ids="system key", of_tenant=None),
    "payload_archives": holds(DELETE, ids="object_key state", is_exported=False),
    # What was done
    "batches": holds(KEEP, ids="workflow system lane run_id", is_exported=False),
    "workflow_jobs": holds(
        EMPTY,
        ids="workflow_type system status lane origin record_key record_id metrics error_reason error_system error_operation "
        "last_run_id run_id parked_reason waiting_for",
        personal="trigger_data checkpoint result",
        words="execution_log error_message",
        empty={"trigger_data": "'{}'", "checkpoint": "'{}'", "execution_log": "'[]'"},
    ),
    "job_attempts": holds(EMPTY, ids="run_id outcome error_reason", words="error_message"),
    "workflow_related_records": holds(EMPTY, ids="system record_type record_id action", words="url"),
    "effects": holds(DELETE, ids="system operation state content_sha256", personal="effect_key target result"),
    "record_states": holds(DELETE, ids="workflow role", personal="record_key state"),
    "job_counters": holds(KEEP, ids="name job_type status buckets", of_tenant=None),
    "deleted_counts": holds(KEEP, ids="system kind outcome", is_exported=False),
    "ledger_balance": holds(KEEP, of_tenant=None),
    "restores": holds(KEEP, of_tenant=None),
    # What was done again, and how payloads are searched: values only as keyed digests, which go with their tenant
    "replays": holds(KEEP, ids="actor mode chosen stopped_by"),
    "backfills": holds(KEEP, ids="workflow system time_zone status actor launched_by"),
    "backfill_days": holds(EMPTY, ids="state reached_ids run_id", words="error"),
    "payload_searches": holds(DELETE, ids="actor event_ids", words="path"),
    "payload_values": holds(DELETE, is_exported=False),
    # What waits, and why
    "pauses": holds(DELETE, ids="kind subject source actor", words="reason", is_exported=False),
    "account_rests": holds(DELETE, ids="system"),
    # What was compared, watched and recovered
    "reconciliations": holds(DELETE, ids="workflow origin status counts run_id error_reason", words="progress error_message"),
    "drifts": holds(DELETE, ids="workflow record_key record_id kind status", personal="target fields"),
    "sequence_marks": holds(KEEP, ids="system", of_tenant=None),
    "subscription_checks": holds(DELETE, ids="system state", words="findings"),
    "holes": holds(DELETE, ids="system kind status resource reason"),
    # What people are told and did
    "notification_channels": holds(DELETE, ids="kind wants", personal="address", hidden="secret", words="name"),
    "notifications": holds(DELETE, ids="kind cause status reason"),
    "issues": holds(DELETE, ids="system operation reason link status", words="title owner note"),
    "issue_transitions": holds(DELETE, ids="transition actor"),
    "audit_log": holds(KEEP, ids="actor action subject details address written_as"),  # from where is what the log is for
    "tenant_exports": holds(KEEP, ids="status asked_by counts reason", is_exported=False),
    "tenant_erasures": holds(KEEP, ids="asked_by accounts counts by_hand", is_exported=False),
}
