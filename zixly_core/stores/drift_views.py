"""Reconciliations and drifts as people look at them, under row-level security."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page, Row

EXAMPLES = 50
RECONCILIATION = (
    "r.id, t.slug as tenant, r.tenant_id, r.connection_id, r.workflow, r.origin, r.since, r.until, r.is_full, r.is_dry, r.status, "
    "r.counts, r.progress ->> 'phase' as phase, r.run_id, r.due_at, r.error_reason, r.error_message, r.created_at, r.started_at, r.ended_at"
)
DRIFT = (
    "d.id, t.slug as tenant, d.tenant_id, d.connection_id, d.workflow, d.record_key, d.record_id, d.kind, d.target, d.fields, d.status, "
    "d.found_by, d.seen_by, d.job_id, d.found_at, d.seen_at, d.ended_at"
)

LIST_SQL = f"""
select {RECONCILIATION} from zixly.reconciliations r join zixly.tenants t on t.id = r.tenant_id
where (%(id)s::uuid is null or r.id = %(id)s) and (%(tenant)s::text is null or t.slug = %(tenant)s)
  and (%(workflow)s::text is null or r.workflow = %(workflow)s)
  and (%(at)s::timestamptz is null or (r.created_at, r.id) < (%(at)s, %(after)s::uuid))
order by r.created_at desc, r.id desc limit %(limit)s"""

DRIFTS_SQL = f"""
select {DRIFT} from zixly.drifts d join zixly.tenants t on t.id = d.tenant_id
where (%(tenant)s::text is null or t.slug = %(tenant)s) and (%(workflow)s::text is null or d.workflow = %(workflow)s)
  and (%(status)s::text is null or d.status = %(status)s) and (%(kind)s::text is null or d.kind = %(kind)s)
  and (%(reconciliation)s::uuid is null or %(reconciliation)s in (d.found_by, d.seen_by))
  and (%(at)s::timestamptz is null or (d.found_at, d.id) < (%(at)s, %(after)s::uuid))
order by d.found_at desc, d.id desc limit %(limit)s"""

STANDING_SQL = """
select kind, status, count(*)::int as drifts from zixly.drifts where %s in (found_by, seen_by) group by kind, status"""


@dataclass(frozen=True)
class ReconciliationFilter:
    """Which reconciliations are looked at; None is any."""

    tenant: str | None = None
    workflow: str | None = None


@dataclass(frozen=True)
class DriftFilter:
    """Which drifts are looked at; None is any."""

    tenant: str | None = None
    workflow: str | None = None
    status: str | None = None
    kind: str | None = None
    reconciliation: UUID | None = None


def reconciliations_page(connection: Rows, wanted: ReconciliationFilter, *, page: Page) -> list[Row]:
    """Reconciliations, newest first."""
    return list(connection.execute(LIST_SQL, {"id": None, **asdict(wanted), **position_of(page)}))


def reconciliation_report(connection: Rows, reconciliation_id: UUID) -> Row | None:
    """One with how its drifts stand now, by kind and status, and the latest of them as examples."""
    row = connection.execute(LIST_SQL, {"id": reconciliation_id, "tenant": None, "workflow": None, **position_of(Page(limit=1))}).fetchone()
    if row is None:
        return None
    standing: dict[str, dict[str, int]] = {}
    for one in connection.execute(STANDING_SQL, (reconciliation_id,)):
        standing.setdefault(one["kind"], {})[one["status"]] = one["drifts"]
    examples = drifts_page(connection, DriftFilter(reconciliation=reconciliation_id), page=Page(limit=EXAMPLES))
    return {**row, "drifts": standing, "examples": examples}


def drifts_page(connection: Rows, wanted: DriftFilter, *, page: Page) -> list[Row]:
    """Drifts, newest first."""
    return list(connection.execute(DRIFTS_SQL, {**asdict(wanted), **position_of(page)}))


def position_of(page: Page) -> dict[str, Any]:
    at, after = page.after or (None, None)
    return {"at": at, "after": after, "limit": page.limit}
