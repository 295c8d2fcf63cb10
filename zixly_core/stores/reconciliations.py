"""Reconciliations in Postgres: asked for, taken by a run under a lease, carried on page by page, ended. Whoever comes after a run
that was killed goes on from its last page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from zixly_core.changes import Window
from zixly_core.errors import LeaseLost, ZixlyError
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.rows import columns_of, rows_from

Origin = Literal["nightly", "asked"]

# What was read before the end of the last good one is read again for so long: a vendor's index may lag behind its writes.
OVERLAP = timedelta(minutes=15)
# Longer than any page takes.
LEASE = timedelta(minutes=5)
KEPT_FOR = timedelta(days=90)

# Of each workflow that the tenant has switched on, the accounts that it reads, where there is one to write to. The names travel in three
# lists: workflows, and the systems that they read and write.
PAIRS_SQL = """
select c.id as connection_id, w.name as workflow
from unnest(%(workflows)s::text[], %(systems)s::text[], %(partners)s::text[]) as k (workflow, system, partner)
join zixly.workflows w on w.name = k.workflow and w.enabled
join zixly.connections c on c.tenant_id = %(tenant)s and c.system = k.system and c.status = 'ACTIVE'
left join zixly.tenant_workflows t on t.tenant_id = c.tenant_id and t.workflow = w.name
where coalesce(t.enabled, true)
  and exists (select from zixly.connections p where p.tenant_id = c.tenant_id and p.system = k.partner and p.status = 'ACTIVE')
order by w.name, c.created_at, c.id"""

# Where a good reconciliation ended; before the first one, where the account was connected: nothing came from before.
WATERMARK_SQL = """
select greatest(c.created_at, (select max(r.until) - %(overlap)s from zixly.reconciliations r
  where r.tenant_id = c.tenant_id and r.connection_id = c.id and r.workflow = %(workflow)s and r.status = 'DONE' and not r.is_dry)) as since
from zixly.connections c where c.id = %(connection)s"""

WANTED_COLUMNS = (
    "id uuid, tenant_id uuid, connection_id uuid, workflow text, origin text, since timestamptz, until timestamptz, "
    "is_full bool, is_dry bool"
)
WANT_SQL = f"""
insert into zixly.reconciliations (id, tenant_id, connection_id, workflow, origin, since, until, is_full, is_dry)
select * from {rows_from(WANTED_COLUMNS)} on conflict do nothing returning id"""

DUE_SQL = """
select id, tenant_id, tries from zixly.reconciliations
where status in ('WANTED', 'PARKED') and due_at <= now() or status = 'RUNNING' and lease_until < now()
order by due_at, id limit %s"""

TENANTS_SQL = "select id, slug, time_zone from zixly.tenants where paused_at is null order by slug"

TAKE_SQL = """
update zixly.reconciliations
set status = 'RUNNING', run_id = %(run)s, lease_until = now() + %(lease)s, tries = tries + 1, started_at = coalesce(started_at, now()),
    error_reason = null, error_message = null
where id = %(id)s and (status in ('WANTED', 'PARKED') or (status = 'RUNNING' and (lease_until < now() or run_id = %(run)s)))
returning id, tenant_id, connection_id, workflow, since, until, is_full, is_dry, progress, tries"""

SAVE_SQL = """
update zixly.reconciliations r
set lease_until = now() + %(lease)s, progress = progress || %(progress)s,
    counts = r.counts || coalesce((select jsonb_object_agg(key, coalesce((r.counts ->> key)::int, 0) + value::int)
                                   from jsonb_each_text(%(counts)s)), '{}')
where id = %(id)s and run_id = %(run)s and status = 'RUNNING' returning id"""

END_SQL = """
update zixly.reconciliations
set status = %(status)s, lease_until = null, due_at = now() + %(wait)s, error_reason = %(reason)s, error_message = %(message)s,
    ended_at = case when %(status)s in ('DONE', 'FAILED') then now() end
where id = %(id)s and run_id = %(run)s and status = 'RUNNING'"""

# Both go by age; a reconciliation only when the last of its drifts has gone.
TRIM_SQL = (
    "delete from zixly.drifts where ended_at < now() - %(age)s",
    """delete from zixly.reconciliations r where ended_at < now() - %(age)s
       and not exists (select from zixly.drifts d where r.id in (d.found_by, d.seen_by))""",
)


@dataclass(frozen=True)
class Wanted:
    """A reconciliation that is to be done. An `id` derived from what it is for makes asking twice harmless."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    workflow: str
    origin: Origin
    window: Window
    is_full: bool = False
    is_dry: bool = False


@dataclass(frozen=True)
class Due:
    """One that a run is to be launched for."""

    id: UUID
    tenant_id: UUID
    tries: int


@dataclass(frozen=True)
class Taken:
    """A reconciliation in a run's hands."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    workflow: str
    run_id: str
    window: Window
    is_full: bool
    is_dry: bool
    tries: int
    progress: Mapping[str, Any] = field(default_factory=dict)


def pairs(connection: Rows, tenant_id: UUID, *, workflows: Sequence[tuple[str, str, str]]) -> list[tuple[str, UUID]]:
    """The tenant's connections that each of these workflows (name, system that it reads, system that it writes) is reconciled for."""
    names, systems, partners = columns_of(list(workflows))
    rows = connection.execute(PAIRS_SQL, {"tenant": tenant_id, "workflows": names, "systems": systems, "partners": partners})
    return [(row["workflow"], row["connection_id"]) for row in rows]


def watermark(connection: Rows, *, connection_id: UUID, workflow: str) -> datetime | None:
    """Where the next one begins; None for a connection that the transaction does not see."""
    values = {"connection": connection_id, "workflow": workflow, "overlap": OVERLAP}
    row = connection.execute(WATERMARK_SQL, values).fetchone()
    return row["since"] if row else None


def want(connection: Rows, wanted: Sequence[Wanted]) -> list[UUID]:
    """Write down what is to be done; the ids of those that are new. As role `api` or `runs`."""
    if not wanted:
        return []
    rows = [
        (one.id, one.tenant_id, one.connection_id, one.workflow, one.origin, one.window.since, one.window.until, one.is_full, one.is_dry)
        for one in wanted
    ]
    return [row["id"] for row in connection.execute(WANT_SQL, columns_of(rows))]


def tenants_in(dispatch: Database) -> list[tuple[UUID, str, str]]:
    """All tenants that are not paused: id, short name and time zone, as role `dispatch`."""
    with dispatch.transaction() as connection:
        return [(row["id"], row["slug"], row["time_zone"]) for row in connection.execute(TENANTS_SQL)]


def due_reconciliations(dispatch: Database, *, limit: int = 20) -> list[Due]:
    """Those that wait for a run, or whose run vanished, across tenants, as role `dispatch`."""
    with dispatch.transaction() as connection:
        return [Due(**row) for row in connection.execute(DUE_SQL, (limit,))]


def take(database: Database, reconciliation_id: UUID, *, tenant_id: UUID, run_id: str) -> Taken | None:
    """The reconciliation, under a lease; None where it is in other hands or has ended."""
    with database.transaction(tenant_id=tenant_id) as connection:
        row = connection.execute(TAKE_SQL, {"id": reconciliation_id, "run": run_id, "lease": LEASE}).fetchone()
    if row is None:
        return None
    window = Window(row.pop("since"), row.pop("until"))
    return Taken(run_id=run_id, window=window, **row)


def save_page(connection: Rows, taken: Taken, *, progress: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """Keep how far it came, in the transaction that keeps what the page came to. Raises `LeaseLost`, and nothing of it is kept."""
    values = {"id": taken.id, "run": taken.run_id, "lease": LEASE, "progress": Jsonb(progress), "counts": Jsonb(counts)}
    if connection.execute(SAVE_SQL, values).fetchone() is None:
        raise LeaseLost(f"Reconciliation {taken.id} is in other hands; this run leaves it alone.")


def end(connection: Rows, taken: Taken, *, error: ZixlyError | None = None) -> None:
    """It is done, or failed for good."""
    keep_end(connection, taken, status="FAILED" if error else "DONE", wait=timedelta(), error=error)


def park(connection: Rows, taken: Taken, *, wait: timedelta, error: ZixlyError | None = None) -> None:
    """It goes on from here in a while, in another run; `error` is what it waits for."""
    keep_end(connection, taken, status="PARKED", wait=wait, error=error)


def keep_end(connection: Rows, taken: Taken, *, status: str, wait: timedelta, error: ZixlyError | None) -> None:
    values = {
        "id": taken.id,
        "run": taken.run_id,
        "status": status,
        "wait": wait,
        "reason": error.reason if error else None,
        "message": str(error) if error else None,
    }
    connection.execute(END_SQL, values)


def trim(connection: Rows) -> None:
    """Remove what ended long ago: drifts hold values of records."""
    for statement in TRIM_SQL:
        connection.execute(statement, {"age": KEPT_FOR})
