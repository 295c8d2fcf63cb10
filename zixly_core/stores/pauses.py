"""What is paused: tenants, systems, workflows, connections. Deliveries are received all the while; jobs wait in their old order.

`paused_at` of tenants, workflows and connections is what the hand-over reads; the row here tells who, why and until when.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.errors import Rejected
from zixly_core.ids import new_id
from zixly_core.stores.audit import note
from zixly_core.stores.database import Database, Rows

PausedKind = Literal["tenant", "system", "workflow", "connection"]
# Who ends pauses whose time is over, and who paused a system by the switch of its sensor.
PLATFORM = "zixly"
SWITCH = "dagster-ui"

SUBJECT_SQL = {
    "tenant": "select id::text as subject, id as tenant_id from zixly.tenants where slug = %s",
    "system": "select system as subject, null::uuid as tenant_id from zixly.workflows where system = %s limit 1",
    "workflow": "select name as subject, null::uuid as tenant_id from zixly.workflows where name = %s",
    "connection": "select id::text as subject, tenant_id from zixly.connections where id::text = %s",
}
FLAG_SQL = {
    "tenant": "update zixly.tenants set paused_at = {when} where id = %s::uuid",
    "workflow": "update zixly.workflows set paused_at = {when} where name = %s",
    "connection": "update zixly.connections set paused_at = {when} where id = %s::uuid",
}
PAUSE_SQL = """
insert into zixly.pauses (id, kind, subject, tenant_id, reason, actor, until) values (%s, %s, %s, %s, %s, %s, %s)
on conflict (kind, subject, source) do update set reason = excluded.reason, actor = excluded.actor, until = excluded.until"""
RESUME_SQL = "delete from zixly.pauses where kind = %s and subject = %s and source = 'person' returning id"
SWITCHED_SQL = "select from zixly.pauses where kind = %s and subject = %s and source = 'switch'"
LIST_SQL = """
select p.kind, coalesce(t.slug, c.id::text, p.subject) as name, owner.slug as tenant,
  case when p.kind = 'connection' then c.system || ' ' || c.name end as title, p.source, p.reason, p.actor, p.paused_at, p.until
from zixly.pauses p
left join zixly.tenants t on p.kind = 'tenant' and t.id::text = p.subject
left join zixly.connections c on p.kind = 'connection' and c.id::text = p.subject
left join zixly.tenants owner on owner.id = p.tenant_id
order by p.paused_at, p.id"""

OVER_SQL = "delete from zixly.pauses where until <= now() and source = 'person' returning kind, subject, tenant_id"
SWITCH_OFF_SQL = """
insert into zixly.pauses (id, kind, subject, source, reason, actor)
values (%s, 'system', %s, 'switch', 'Its dispatch sensor is switched off.', %s) on conflict (kind, subject, source) do nothing"""
SWITCHED_ON_SQL = "delete from zixly.pauses where source = 'switch' and subject <> all(%s)"


class NothingToPause(Rejected):
    """There is no such tenant, system, workflow or connection, or it is not the caller's."""

    default_reason = "not_found"


@dataclass(frozen=True)
class Pause:
    """What is paused. `name` is what people pause it by; `source` is `person`, or `switch` for a sensor that is switched off."""

    kind: str
    name: str
    tenant: str | None
    title: str | None
    source: str
    reason: str | None
    actor: str
    paused_at: datetime
    until: datetime | None


@dataclass(frozen=True)
class Resumption:
    """Whether a person's pause ended, and whether a system stays paused because the sensor is switched off, in the Dagster UI."""

    was_paused: bool
    is_switched_off: bool


def pause(rows: Rows, *, kind: PausedKind, name: str, reason: str | None, until: datetime | None, actor: str) -> None:
    """Hand no more of its jobs over; those that run end. A second pause replaces reason and end of the first. Raises
    `NothingToPause`."""
    subject, tenant_id = subject_of(rows, kind, name)
    rows.execute(PAUSE_SQL, (new_id(), kind, subject, tenant_id, reason, actor, until))
    flag(rows, kind, subject, when="coalesce(paused_at, now())")
    note(rows, actor=actor, action=f"{kind}.pause", subject=name, tenant_id=tenant_id)


def resume(rows: Rows, *, kind: PausedKind, name: str, actor: str) -> Resumption:
    """Let it go on. Raises `NothingToPause`."""
    subject, tenant_id = subject_of(rows, kind, name)
    was_paused = rows.execute(RESUME_SQL, (kind, subject)).fetchone() is not None
    flag(rows, kind, subject, when="null")
    if was_paused:
        note(rows, actor=actor, action=f"{kind}.resume", subject=name, tenant_id=tenant_id)
    return Resumption(was_paused, rows.execute(SWITCHED_SQL, (kind, subject)).fetchone() is not None)


def pauses(rows: Rows) -> list[Pause]:
    """What is paused, as the scope of the transaction allows, the oldest first."""
    with rows.cursor(row_factory=class_row(Pause)) as cursor:
        return cursor.execute(LIST_SQL).fetchall()


def subject_of(rows: Rows, kind: PausedKind, name: str) -> tuple[str, UUID | None]:
    row = rows.execute(SUBJECT_SQL[kind], (name,)).fetchone()
    if row is None:
        raise NothingToPause(f"There is no {kind} {name}, or it is not yours to pause.")
    return row["subject"], row["tenant_id"]


def flag(rows: Rows, kind: str, subject: str, *, when: str) -> None:
    if kind in FLAG_SQL:
        rows.execute(FLAG_SQL[kind].format(when=when), (subject,))


def end_pauses(database: Database) -> int:
    """End the pauses whose time is over, as role `dispatch`; how many."""
    with database.transaction() as rows:
        over: list[dict[str, Any]] = list(rows.execute(OVER_SQL))
        for one in over:
            flag(rows, one["kind"], one["subject"], when="null")
            note(rows, actor=PLATFORM, action=f"{one['kind']}.resume", subject=one["subject"], tenant_id=one["tenant_id"])
    return len(over)


def mirror_switches(database: Database, switched_off: Collection[str]) -> None:
    """Keep which systems' sensors are switched off, so that their jobs count as paused. As role `dispatch`."""
    with database.transaction() as rows:
        rows.execute(SWITCHED_ON_SQL, (list(switched_off),))
        for system in sorted(switched_off):
            rows.execute(SWITCH_OFF_SQL, (new_id(), system, SWITCH))
