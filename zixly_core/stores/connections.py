"""Connections as a run sees them: its tenant's own, with their settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zixly_core.errors import Permanent
from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.database import Database
from zixly_core.token_store import Connection

COLUMNS = (
    "id, tenant_id, system, external_id, name, status, settings, parked_reason, "
    "case when parked_until > now() then parked_until - now() end as parked_for"
)
ONE_SQL = f"select {COLUMNS} from zixly.connections where id = %s"
OF_SYSTEM_SQL = f"select {COLUMNS} from zixly.connections where system = %s limit 2"


@dataclass(frozen=True)
class ConfiguredConnection(Connection):
    """A connection with what people set about it."""

    name: str
    status: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    parked_for: timedelta | None = None
    """How much longer the account is to be left alone; None when it is not parked."""
    parked_reason: str | None = None


def connection_of(database: Database, run: RunIdentity, connection_id: UUID) -> ConfiguredConnection:
    """The connection. Raises `Permanent` when the tenant has no such connection."""
    return connection_in(database, run.tenant_id, connection_id)


def connection_in(database: Database, tenant_id: UUID, connection_id: UUID) -> ConfiguredConnection:
    """`connection_of` for work that belongs to no batch."""
    with database.transaction(tenant_id=tenant_id) as opened:
        row = opened.execute(ONE_SQL, (connection_id,)).fetchone()
    if row is None:
        raise Permanent(f"Connection {connection_id} is not one of tenant {tenant_id}.", reason="connection_missing")
    return ConfiguredConnection(**row)


def partner_connection(database: Database, run: RunIdentity, source: ConfiguredConnection, *, system: str) -> ConfiguredConnection:
    """The connection of another system that a workflow writes to: the one that the source's settings name
    (`{system}_connection`), else the tenant's only one. Raises `Permanent` when that cannot be decided."""
    return partner_of_connection(database, source, system=system)


def partner_of_connection(database: Database, source: ConfiguredConnection, *, system: str) -> ConfiguredConnection:
    """`partner_connection` for work that belongs to no batch."""
    named = source.settings.get(f"{system}_connection")
    if named:
        return connection_in(database, source.tenant_id, id_in_settings(str(named), name=f"{system}_connection", source=source))
    rows = connections_of(database, source.tenant_id, system=system)
    if len(rows) != 1:
        raise Permanent(
            f"Tenant {source.tenant_id} has {'no' if not rows else 'more than one'} {system} connection; name one in the setting "
            f"{system}_connection of connection {source.id}.",
            reason="connection_undecided",
        )
    return rows[0]


def has_partner(database: Database, source: ConfiguredConnection, *, system: str) -> bool:
    """Whether the tenant has any connection of the other system: a workflow's optional half is left out where it has none."""
    return bool(source.settings.get(f"{system}_connection") or connections_of(database, source.tenant_id, system=system))


def connections_of(database: Database, tenant_id: UUID, *, system: str) -> list[ConfiguredConnection]:
    """The tenant's connections at a system, two at most: more than one have to be told apart by a setting anyway."""
    with database.transaction(tenant_id=tenant_id) as opened:
        return [ConfiguredConnection(**row) for row in opened.execute(OF_SYSTEM_SQL, (system,))]


def time_zone(database: Database, run: RunIdentity) -> ZoneInfo:
    """Where the client company is: its days begin and end there. Raises `Permanent` for a zone that does not exist."""
    return time_zone_in(database, run.tenant_id)


def time_zone_in(database: Database, tenant_id: UUID) -> ZoneInfo:
    """`time_zone` for work that belongs to no batch."""
    with database.transaction(tenant_id=tenant_id) as opened:
        row = opened.execute("select time_zone from zixly.tenants where id = %s", (tenant_id,)).fetchone()
    try:
        return ZoneInfo(row["time_zone"] if row else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise Permanent(f"The time zone of tenant {tenant_id} does not exist.", reason="time_zone_unknown") from None


def id_in_settings(text: str, *, name: str, source: ConfiguredConnection) -> UUID:
    """The id that a setting names. Raises `Permanent` for text that is none."""
    try:
        return UUID(text)
    except ValueError:
        raise Permanent(f"The setting {name} of connection {source.id} is not an id.", reason="connection_missing") from None


def connection_settings(database: Database, run: RunIdentity, connection_id: UUID) -> Mapping[str, Any]:
    """The settings of a connection."""
    return connection_of(database, run, connection_id).settings
