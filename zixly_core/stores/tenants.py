"""Client companies as people manage them: listed, made, renamed, asked to be exported or erased; as role `api`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zixly_core.errors import Rejected
from zixly_core.ids import new_id
from zixly_core.stores.audit import note
from zixly_core.stores.cancel import CANCEL_SQL, count_cancelled
from zixly_core.stores.database import Rows

VIEW_SQL = """
select t.id, t.slug, t.name, t.time_zone, t.paused_at, t.erased_at, t.created_at,
  (select count(*) from zixly.connections c where c.tenant_id = t.id and c.status = 'ACTIVE') as connections,
  (select count(*) from zixly.workflow_jobs j where j.tenant_id = t.id and j.status in ('QUEUED', 'RUNNING')) as open_jobs,
  e.asked_at as erasure_asked_at, e.done_at as erasure_done_at, coalesce(e.by_hand, '[]') as by_hand
from zixly.tenants t left join zixly.tenant_erasures e on e.tenant_id = t.id
where (%(slug)s::text is null or t.slug = %(slug)s) order by t.slug"""
ADD_SQL = """
insert into zixly.tenants (id, slug, name, time_zone) values (%s, %s, %s, %s) on conflict (slug) do nothing returning id"""
SET_SQL = """
update zixly.tenants set name = coalesce(%(name)s, name), time_zone = coalesce(%(time_zone)s, time_zone)
where slug = %(slug)s and erased_at is null returning id"""

ASK_EXPORT_SQL = "insert into zixly.tenant_exports (id, tenant_id, asked_by) values (%s, %s, %s)"
EXPORT_SQL = """
select x.id, x.tenant_id, x.status, x.asked_at, x.ready_at, x.fetched_at, x.counts, x.reason from zixly.tenant_exports x
join zixly.tenants t on t.id = x.tenant_id where x.id = %s and t.slug = %s"""
FETCH_SQL = "update zixly.tenant_exports set status = 'FETCHED', fetched_at = now() where id = %s and status = 'READY' returning tenant_id"

ASK_ERASURE_SQL = """
insert into zixly.tenant_erasures (tenant_id, asked_by, accounts)
select %(tenant)s, %(actor)s, coalesce(jsonb_agg(jsonb_build_object('system', c.system, 'account', c.external_id)), '[]')
from zixly.connections c where c.tenant_id = %(tenant)s
on conflict (tenant_id) do update set asked_by = excluded.asked_by, asked_at = now(), tried_at = null, done_at = null"""
PAUSE_SQL = "update zixly.tenants set paused_at = coalesce(paused_at, now()) where id = %s"


class NoSuchTenant(Rejected):
    """There is no such client company, or it is not the caller's to see."""

    default_reason = "tenant_missing"


class TenantExists(Rejected):
    """Another client company has the short name."""

    default_reason = "tenant_exists"


def checked_zone(name: str) -> str:
    """A time zone's name. Raises `Rejected` for one that does not exist."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"There is no time zone {name[:60]!r}; names are such as Australia/Brisbane."
        raise Rejected(text, reason="time_zone_unknown") from None


def tenant_views(rows: Rows, *, slug: str | None = None) -> list[dict[str, Any]]:
    """Tenants, as far as the scope sees them, by their short names."""
    return list(rows.execute(VIEW_SQL, {"slug": slug}))


def tenant_view(rows: Rows, slug: str) -> dict[str, Any]:
    """Raises `NoSuchTenant`."""
    views = tenant_views(rows, slug=slug)
    if not views:
        raise NoSuchTenant(f"There is no client {slug[:60]!r}, or it is not yours to see.")
    return views[0]


def add_tenant(rows: Rows, *, slug: str, name: str, time_zone: str, actor: str) -> None:
    """Raises `TenantExists` and `Rejected`."""
    row = rows.execute(ADD_SQL, (new_id(), slug, name, checked_zone(time_zone))).fetchone()
    if row is None:
        raise TenantExists(f"There is a client {slug} already, or was one that has been erased; choose another short name.")
    noted(rows, row["id"], actor=actor, action="tenant.add", subject=slug, details={})


def set_tenant(rows: Rows, slug: str, *, name: str | None, time_zone: str | None, actor: str) -> None:
    """Change what is not None. Raises `NoSuchTenant` and `Rejected`."""
    values = {"slug": slug, "name": name, "time_zone": checked_zone(time_zone) if time_zone else None}
    row = rows.execute(SET_SQL, values).fetchone()
    if row is None:
        raise NoSuchTenant(f"There is no client {slug[:60]!r} that could be changed.")
    changed = [field for field in ("name", "time_zone") if values[field] is not None]
    noted(rows, row["id"], actor=actor, action="tenant.set", subject=slug, details={"fields": changed})


def ask_export(rows: Rows, slug: str, *, actor: str) -> UUID:
    """Ask for a tenant's data; a worker puts it together. Raises `NoSuchTenant`, and `Rejected` for one that was erased."""
    tenant = tenant_view(rows, slug)
    if tenant["erasure_asked_at"] is not None:
        raise Rejected(f"Client {slug} was erased or is being erased: there is nothing to export.", reason="tenant_erased")
    export_id = new_id()
    rows.execute(ASK_EXPORT_SQL, (export_id, tenant["id"], actor))
    noted(rows, tenant["id"], actor=actor, action="tenant.export", subject=slug, details={"export": str(export_id)})
    return export_id


def export_view(rows: Rows, slug: str, export_id: UUID) -> dict[str, Any] | None:
    return rows.execute(EXPORT_SQL, (export_id, slug)).fetchone()


def begin_fetching(rows: Rows, slug: str, export_id: UUID, *, actor: str) -> UUID | None:
    """Take an export that is ready, which only one caller can; its tenant. None when it is not ready, or was fetched."""
    row = rows.execute(FETCH_SQL, (export_id,)).fetchone()
    if row is None:
        return None
    noted(rows, row["tenant_id"], actor=actor, action="tenant.export_fetched", subject=slug, details={"export": str(export_id)})
    tenant_id: UUID = row["tenant_id"]
    return tenant_id


def ask_erasure(rows: Rows, slug: str, *, actor: str) -> None:
    """Stop a tenant's work, and ask for it to be erased; a worker does it. Asked again, it is gone through again.

    Raises `NoSuchTenant`.
    """
    tenant = tenant_view(rows, slug)
    rows.execute(PAUSE_SQL, (tenant["id"],))
    cancelled = list(rows.execute(CANCEL_SQL.format(chosen="tenant_id = %s"), (tenant["id"],)))
    count_cancelled(rows, cancelled)
    rows.execute(ASK_ERASURE_SQL, {"tenant": tenant["id"], "actor": actor})
    noted(rows, tenant["id"], actor=actor, action="tenant.erase", subject=slug, details={"jobs_cancelled": len(cancelled)})


def noted(rows: Rows, tenant_id: UUID, *, actor: str, action: str, subject: str, details: Mapping[str, Any]) -> None:
    note(rows, actor=actor, action=action, subject=subject, tenant_id=tenant_id, details=details)
