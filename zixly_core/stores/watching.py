"""Checks of webhooks: which connections are due, what a check found, and the issues that people see of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from zixly_core.ids import new_id
from zixly_core.stores.audit import note
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.issues import raise_issue, resolve_issue

WATCHED = ("xero", "hubspot", "shopify", "asana")
OPERATION = "webhook"
# The hourly schedule looks at every connection; one that it missed, as while nothing ran, is looked at soon after.
OVERDUE_AFTER = timedelta(minutes=75)
# Checks that are kept: enough to see when something went wrong.
KEPT_FOR = timedelta(days=30)

DUE_SQL = """
select c.tenant_id, array_agg(c.id order by c.id) as connection_ids, max(c.check_wanted_at) as wanted_at,
       (select max(h.found_at) from zixly.holes h
        where h.tenant_id = c.tenant_id and h.status = 'OPEN' and h.tried_at is null) as found_at
from zixly.connections c
where c.status = 'ACTIVE' and c.system = any(%(systems)s)
  and (c.watched_at is null or c.watched_at < now() - %(overdue)s::interval
    or (c.check_wanted_at <= now() and c.watched_at < c.check_wanted_at)
    or exists (select from zixly.holes h where h.connection_id = c.id and h.status = 'OPEN' and h.tried_at is null))
group by c.tenant_id order by c.tenant_id"""
TENANTS_SQL = """
select distinct c.tenant_id from zixly.connections c where c.status = 'ACTIVE' and c.system = any(%s) order by c.tenant_id"""
NAMED_SQL = "select id from zixly.tenants where %(name)s in ('', slug, id::text) order by slug"
WATCHED_SQL = """
select id, watched_until, created_at from zixly.connections where status = 'ACTIVE' and system = any(%s) order by system, id"""
WORKFLOWS_SQL = """
select w.name, w.record_form, w.priority, w.triggers from zixly.workflows w
left join zixly.tenant_workflows t on t.workflow = w.name
where w.enabled and coalesce(t.enabled, true) and exists (select from unnest(w.triggers) one where one like %s)
order by w.name"""
LAST_EVENT_SQL = "select exists (select from zixly.events where tenant_id = %s and connection_id = %s and received_at > %s) as came"
ASK_SQL = """
update zixly.connections set check_wanted_at = now()
where id = %s and system = any(%s) returning tenant_id, check_wanted_at, status"""
CHECK_SQL = "insert into zixly.subscription_checks (id, tenant_id, connection_id, system, state, findings) values (%s, %s, %s, %s, %s, %s)"
WATCH_SQL = """
update zixly.connections set watched_at = now(), watch_state = %(state)s, watched_until = coalesce(%(until)s, watched_until),
  check_wanted_at = coalesce(%(again_at)s, check_wanted_at)
where id = %(id)s"""
TRIM_SQL = "delete from zixly.subscription_checks where at < now() - %s::interval"
CHECKS_SQL = """
select id, at, state, findings from zixly.subscription_checks where connection_id = %s order by at desc, id desc limit %s"""


class WatchState(StrEnum):
    """What the last check of a connection's webhooks came to. UNKNOWN: the vendor could not be asked."""

    WELL = "well"
    MENDED = "mended"
    LOST = "lost"
    SILENT = "silent"
    FAILING = "failing"
    UNKNOWN = "unknown"


class Trouble(StrEnum):
    """What a person has to see to; the reasons of issues."""

    SILENT = "webhook_silent"
    LOST = "webhook_lost"
    FAILING = "webhook_failing"


@dataclass(frozen=True)
class WatchedWorkflow:
    """A workflow that the events of a connection's system trigger."""

    name: str
    record_form: str | None
    priority: int
    triggers: tuple[str, ...]


@dataclass(frozen=True)
class WatchedConnection:
    """How far a connection was looked at: up to `watched_until` every change at the source is known to us."""

    id: UUID
    watched_until: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Check:
    """What a check came to. `watched_until` is set where everything could be read; `again_at` asks for another check soon."""

    state: WatchState
    findings: Mapping[str, int | str] = field(default_factory=dict)
    troubles: Mapping[Trouble, str] = field(default_factory=dict)
    """What people are to do, in words; None of the others is any more."""
    watched_until: datetime | None = None
    again_at: datetime | None = None


@dataclass(frozen=True)
class CheckView:
    """A check as people see it."""

    id: UUID
    at: datetime
    state: str
    findings: Mapping[str, Any]


def due_checks(database: Database) -> list[Mapping[str, Any]]:
    """Tenants whose connections are to be looked at now, as role `dispatch`: `tenant_id`, `connection_ids`, `wanted_at`, `found_at`."""
    with database.transaction() as rows:
        return list(rows.execute(DUE_SQL, {"systems": list(WATCHED), "overdue": OVERDUE_AFTER}))


def watched_tenants(database: Database) -> list[UUID]:
    """Tenants with anything to look at, as role `dispatch`."""
    with database.transaction() as rows:
        return [row["tenant_id"] for row in rows.execute(TENANTS_SQL, (list(WATCHED),))]


def tenants_named(database: Database, name: str) -> list[UUID]:
    """The tenant with this short name or id, or all for an empty text; as role `dispatch`."""
    with database.transaction() as rows:
        return [row["id"] for row in rows.execute(NAMED_SQL, {"name": name})]


def watched_connections(database: Database, tenant_id: UUID) -> list[WatchedConnection]:
    with database.transaction(tenant_id=tenant_id) as rows, rows.cursor(row_factory=class_row(WatchedConnection)) as cursor:
        return cursor.execute(WATCHED_SQL, (list(WATCHED),)).fetchall()


def watched_workflows(database: Database, connection: ConfiguredConnection) -> list[WatchedWorkflow]:
    """The tenant's enabled workflows that events of the connection's system trigger."""
    with database.transaction(tenant_id=connection.tenant_id) as rows:
        found = list(rows.execute(WORKFLOWS_SQL, (f"{connection.system}:%",)))
    return [WatchedWorkflow(row["name"], row["record_form"], row["priority"], tuple(row["triggers"])) for row in found]


def came_after(rows: Rows, connection: ConfiguredConnection, moment: datetime) -> bool:
    """Whether any event of the connection was received after a moment."""
    found = rows.execute(LAST_EVENT_SQL, (connection.tenant_id, connection.id, moment)).fetchone()
    return bool(found and found["came"])


def ask_for_check(rows: Rows, connection_id: UUID, *, actor: str) -> Mapping[str, Any] | None:
    """Have a connection's webhooks looked at soon, as role `api`: `check_wanted_at` and `status`; None where there is no such one."""
    row = rows.execute(ASK_SQL, (connection_id, list(WATCHED))).fetchone()
    if row is not None:
        note(rows, actor=actor, action="connection.check", subject=connection_id, tenant_id=row["tenant_id"])
    return row


def note_check(database: Database, connection: ConfiguredConnection, check: Check) -> None:
    """Keep what a check came to; issues say what people must do, and those that are over are resolved."""
    with database.transaction(tenant_id=connection.tenant_id) as rows:
        values = (new_id(), connection.tenant_id, connection.id, connection.system, check.state.value, Jsonb(dict(check.findings)))
        rows.execute(CHECK_SQL, values)
        watched = {"id": connection.id, "state": check.state.value, "until": check.watched_until, "again_at": check.again_at}
        rows.execute(WATCH_SQL, watched)
        if check.state is not WatchState.UNKNOWN:
            note_troubles(rows, connection, check.troubles)
        rows.execute(TRIM_SQL, (KEPT_FOR,))


def note_troubles(rows: Rows, connection: ConfiguredConnection, troubles: Mapping[Trouble, str]) -> None:
    for trouble in Trouble:
        cause: dict[str, Any] = {
            "tenant_id": connection.tenant_id,
            "system": connection.system,
            "operation": OPERATION,
            "reason": trouble.value,
            "connection_id": connection.id,
        }
        if trouble in troubles:
            raise_issue(rows, **cause, title=troubles[trouble], link=f"/api/connections/{connection.id}/checks")
        else:
            resolve_issue(rows, **cause)


def checks_page(rows: Rows, connection_id: UUID, *, limit: int) -> Sequence[CheckView]:
    """The checks of a connection, the latest first, as the scope of the transaction allows."""
    with rows.cursor(row_factory=class_row(CheckView)) as cursor:
        return cursor.execute(CHECKS_SQL, (connection_id, limit)).fetchall()
