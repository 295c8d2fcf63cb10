"""Connections as people manage them: made and authorised anew by a consent, listed with their health, and set up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from zixly_core.accounts import Account
from zixly_core.errors import Rejected
from zixly_core.ids import new_id
from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows
from zixly_core.stores.issues import resolve_reconnect_issues
from zixly_core.token_store import KeptTokens

TENANT_SQL = "select id, slug, name from zixly.tenants where slug = %s and erased_at is null"
HOLDERS_SQL = "select external_id, tenant_id, status from zixly.connections where system = %s and external_id = any(%s)"

VERSION_SQL = """
select coalesce(max(g.version), 0) + 1 as version
from zixly.connections c join zixly.grants g on g.id = c.grant_id
where c.tenant_id = %s and c.system = %s and c.external_id = any(%s)"""

ADD_GRANT_SQL = """
insert into zixly.grants (id, tenant_id, system, ciphertext, secret_version, version, expires_at)
values (%s, %s, %s, %s, %s, %s, %s)"""

ADD_SQL = """
insert into zixly.connections (id, tenant_id, system, external_id, name, grant_id) values (%s, %s, %s, %s, %s, %s)
on conflict (system, external_id) do nothing returning id"""

# A name that people gave stays; so does the pause of an account whose API budget is spent. Webhooks may have been lost meanwhile.
MOVE_SQL = """
update zixly.connections
set grant_id = %s, status = 'ACTIVE', parked_reason = nullif(parked_reason, 'reconnect_needed'), check_wanted_at = now()
where system = %s and external_id = %s and tenant_id = %s returning id"""

SETTINGS_SQL = "update zixly.connections set settings = %s, settings_saved_at = now() where id = %s returning tenant_id"

VIEW_SQL = """
select c.id, c.tenant_id, t.slug as tenant, c.system, c.external_id, c.name, c.status, c.settings, c.paused_at,
  case when c.parked_until > now() then c.parked_until end as parked_until, c.parked_reason, c.created_at, c.grant_id,
  g.version, g.expires_at as token_expires_at, g.refreshed_at, c.watched_at, c.watch_state
from zixly.connections c join zixly.tenants t on t.id = c.tenant_id left join zixly.grants g on g.id = c.grant_id
where (%(id)s::uuid is null or c.id = %(id)s) and (%(tenant)s::text is null or t.slug = %(tenant)s)
  and (%(system)s::text is null or c.system = %(system)s)
order by t.slug, c.system, c.name, c.id"""


class AccountTaken(Rejected):
    """The account is another client's."""

    default_reason = "account_taken"


@dataclass(frozen=True)
class TenantName:
    """A client company, as people name it."""

    id: UUID
    slug: str
    name: str


@dataclass(frozen=True)
class ConnectionView:
    """A connection with what is known about its authorisation; no token."""

    id: UUID
    tenant_id: UUID
    tenant: str
    system: str
    external_id: str
    name: str
    status: str
    paused_at: datetime | None
    parked_until: datetime | None
    parked_reason: str | None
    created_at: datetime
    grant_id: UUID | None
    version: int | None
    token_expires_at: datetime | None
    refreshed_at: datetime | None
    watched_at: datetime | None = None
    watch_state: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def health(self) -> str:
        """The first thing that keeps its jobs from running, else `well`."""
        if self.status == "DISCONNECTED":
            return "disconnected"
        if self.paused_at is not None:
            return "paused"
        return "parked" if self.parked_until is not None else "well"


@dataclass(frozen=True)
class NewGrant:
    """What a consent gave, as it is kept. The id is known before, since what is kept is bound to it."""

    id: UUID
    tenant_id: UUID
    system: str
    kept: KeptTokens
    expires_at: datetime | None


def tenant_named(rows: Rows, slug: str) -> TenantName | None:
    with rows.cursor(row_factory=class_row(TenantName)) as cursor:
        return cursor.execute(TENANT_SQL, (slug,)).fetchone()


def holders(rows: Rows, *, system: str, accounts: Iterable[Account]) -> dict[str, tuple[UUID, str]]:
    """Which of the accounts are connected already: account -> tenant and status, as far as the transaction's scope sees them."""
    found = rows.execute(HOLDERS_SQL, (system, [account.external_id for account in accounts]))
    return {row["external_id"]: (row["tenant_id"], row["status"]) for row in found}


def save_grant(rows: Rows, grant: NewGrant, accounts: Sequence[Account], *, actor: str) -> list[UUID]:
    """Keep a grant and connect the accounts on it: new ones, and those of the tenant that had another grant, which are connected
    again, their issues resolved. All or nothing; the ids of the connections. Raises `AccountTaken`.

    The version goes on from the grants before, so that nobody takes the new tokens for old ones.
    """
    external_ids = [account.external_id for account in accounts]
    version = rows.execute(VERSION_SQL, (grant.tenant_id, grant.system, external_ids)).fetchone()
    kept = grant.kept
    rows.execute(
        ADD_GRANT_SQL,
        (
            *(grant.id, grant.tenant_id, grant.system, kept.ciphertext, kept.secret_version),
            *(version["version"] if version else 1, grant.expires_at),
        ),
    )
    connection_ids = [connected(rows, grant, account) for account in accounts]
    resolve_reconnect_issues(rows, connection_ids, actor=actor)
    for connection_id, account in zip(connection_ids, accounts, strict=True):
        details = {"system": grant.system, "account": account.external_id}
        note(rows, actor=actor, action="connection.authorise", subject=connection_id, tenant_id=grant.tenant_id, details=details)
    return connection_ids


def connected(rows: Rows, grant: NewGrant, account: Account) -> UUID:
    """Insert first: only the unique key sees the accounts of all tenants."""
    values = (new_id(), grant.tenant_id, grant.system, account.external_id, account.name, grant.id)
    row = rows.execute(ADD_SQL, values).fetchone()
    if row is None:
        row = rows.execute(MOVE_SQL, (grant.id, grant.system, account.external_id, grant.tenant_id)).fetchone()
    if row is None:
        raise AccountTaken(f"{account.name} is connected for another client already; nothing was changed. Disconnect it there first.")
    connection_id: UUID = row["id"]
    return connection_id


def connection_views(
    rows: Rows, *, connection_id: UUID | None = None, tenant: str | None = None, system: str | None = None
) -> list[ConnectionView]:
    """Connections, as far as the transaction's scope sees them, by tenant, system and name."""
    values = {"id": connection_id, "tenant": tenant, "system": system}
    with rows.cursor(row_factory=class_row(ConnectionView)) as cursor:
        return cursor.execute(VIEW_SQL, values).fetchall()


def save_settings(rows: Rows, connection_id: UUID, settings: Mapping[str, Any], *, actor: str) -> bool:
    """Replace the settings of a connection; their form was validated before, a worker compares them with the vendors afterwards. False
    when there is no such connection."""
    row = rows.execute(SETTINGS_SQL, (Jsonb(dict(settings)), connection_id)).fetchone()
    if row is None:
        return False
    details = {"fields": sorted(settings)}
    note(rows, actor=actor, action="connection.settings", subject=connection_id, tenant_id=row["tenant_id"], details=details)
    return True
