"""Holes: noted once, recovered as often as it takes, and shown with what was recovered of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.changes import ChangedRecord
from zixly_core.holes import Hole, HoleKind
from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page
from zixly_core.stores.rows import columns_of, rows_from

NEW_SQL = """
insert into zixly.holes (id, tenant_id, connection_id, system, kind, since, until, resource)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (id) do nothing"""
OPEN_SQL = """
select id, connection_id, kind, since, until, resource, recovered_to
from zixly.holes where connection_id = %s and status = 'OPEN' order by since, id"""
RECOVERED_SQL = """
update zixly.holes set objects = objects + %(objects)s, jobs = jobs + %(jobs)s, recovered_to = %(recovered_to)s, tried_at = now(),
  reason = null, until = %(until)s,
  status = case when %(until)s::timestamptz is null then 'OPEN' else 'RECOVERED' end,
  recovered_at = case when %(until)s::timestamptz is not null then now() end
where id = %(id)s and status = 'OPEN'"""
FAILED_SQL = "update zixly.holes set tried_at = now(), reason = %s where id = %s"

# A job covers a change when it will read the record, has read it later, or was made by an event at least as new; and so does what the
# workflow remembers of the record. Xero's and our clocks differ by some seconds; other vendors cut moments to seconds. A workflow that
# does something once for a record has done so when a job's result holds what it made.
UNCOVERED_SQL = f"""
select t.position from {rows_from("position int, record_key text, changed_at timestamptz")}
where not exists (
    select from zixly.workflow_jobs j
    where j.tenant_id = %s and j.record_key = t.record_key and j.workflow_type = %s
      and (j.occurred_at >= t.changed_at - interval '1 second' or (j.status = 'QUEUED' and j.batch_id is null)
        or (j.status in ('RUNNING', 'COMPLETED') and j.started_at >= t.changed_at + interval '5 seconds')
        or j.result ? %s))
  and not exists (
    select from zixly.record_states s
    where s.tenant_id = %s and s.workflow = %s and s.role = 'source' and s.record_key = t.record_key and s.version >= t.changed_at)
order by t.position"""
# What a job's result holds when the workflow has nothing more to do about the record, whatever changes.
DONE_FOR_GOOD = {"hubspot-deal-to-xero": "invoice_id"}

VIEW_SQL = """
select h.id, t.slug as tenant, h.connection_id, c.name as connection, h.system, h.kind, h.status, h.since, h.until, h.first_sequence,
  h.last_sequence, h.resource, h.found_at, h.recovered_to, h.recovered_at, h.tried_at, h.objects, h.jobs, h.reason
from zixly.holes h join zixly.tenants t on t.id = h.tenant_id join zixly.connections c on c.id = h.connection_id
where (%(tenant)s::text is null or t.slug = %(tenant)s) and (%(system)s::text is null or h.system = %(system)s)
  and (%(status)s::text is null or h.status = %(status)s) and (%(connection_id)s::uuid is null or h.connection_id = %(connection_id)s)
  and (%(at)s::timestamptz is null or (h.found_at, h.id) < (%(at)s, %(after)s::uuid))
order by h.found_at desc, h.id desc limit %(limit)s"""


@dataclass(frozen=True)
class HoleFilter:
    """Which holes are wanted; None leaves a question open. `tenant` is a slug."""

    tenant: str | None = None
    system: str | None = None
    status: str | None = None
    connection_id: UUID | None = None


@dataclass(frozen=True)
class HoleView:
    """A hole as people see it. `objects`: records that changed at the source within it. `jobs`: those that no job of ours covered, for
    which one was made."""

    id: UUID
    tenant: str
    connection_id: UUID
    connection: str
    system: str
    kind: str
    status: str
    since: datetime
    until: datetime | None
    first_sequence: int | None
    last_sequence: int | None
    resource: str | None
    found_at: datetime
    recovered_to: datetime | None
    recovered_at: datetime | None
    tried_at: datetime | None
    objects: int
    jobs: int
    reason: str | None


def note_hole(rows: Rows, hole: Hole, *, tenant_id: UUID, system: str) -> None:
    """Note a hole, once. As role `runs`."""
    rows.execute(NEW_SQL, (hole.id, tenant_id, hole.connection_id, system, hole.kind.value, hole.since, hole.until, hole.resource))


def open_holes(rows: Rows, connection_id: UUID) -> list[Hole]:
    """The holes of a connection that are not recovered, or go on; the oldest first."""
    return [Hole(**{**row, "kind": HoleKind(row["kind"])}) for row in rows.execute(OPEN_SQL, (connection_id,))]


def note_recovered(rows: Rows, hole: Hole, *, to: datetime, objects: int, jobs: int) -> None:
    """Everything up to `to` is made good; with an end, the hole is recovered."""
    values: dict[str, Any] = {"id": hole.id, "recovered_to": to, "objects": objects, "jobs": jobs, "until": hole.until}
    rows.execute(RECOVERED_SQL, values)


def note_not_recovered(rows: Rows, hole: Hole, *, reason: str) -> None:
    rows.execute(FAILED_SQL, (reason, hole.id))


def uncovered(
    rows: Rows, records: Sequence[tuple[str, ChangedRecord]], *, tenant_id: UUID, workflow: str
) -> list[tuple[str, ChangedRecord]]:
    """Of these records, by their keys, those whose last change no job of the workflow knows."""
    if not records:
        return []
    columns = columns_of([(position, key, record.changed_at) for position, (key, record) in enumerate(records)])
    values = [*columns, tenant_id, workflow, DONE_FOR_GOOD.get(workflow, ""), tenant_id, workflow]
    return [records[row["position"]] for row in rows.execute(UNCOVERED_SQL, values)]


def holes_page(rows: Rows, wanted: HoleFilter, *, page: Page) -> list[HoleView]:
    """Holes, the latest found first, as the scope of the transaction allows."""
    at, after = page.after or (None, None)
    values = asdict(wanted) | {"at": at, "after": after, "limit": page.limit}
    with rows.cursor(row_factory=class_row(HoleView)) as cursor:
        return cursor.execute(VIEW_SQL, values).fetchall()
