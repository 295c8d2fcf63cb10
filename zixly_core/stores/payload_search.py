"""Find events by a value in their payloads, exactly at every moment: through the index, and in what is not indexed yet.

The index only proposes; the payload itself decides. Events of the last minute, and the few whose payload is too large to be wholly
indexed, are looked through. Of a search the found ids are kept, never the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from zixly_core.ids import new_id
from zixly_core.payload_paths import WantedValue
from zixly_core.stores.audit import note
from zixly_core.stores.database import Rows

MAX_FOUND = 10_000
# Payloads that are read at once to be looked into.
PAGE = 500
LAST_ID = UUID(int=2**128 - 1)

INDEXED_SQL = "select indexed_through from zixly.payload_index"
BOUNDS_SQL = "select zixly.first_id_at(%s) as since, zixly.first_id_at(%s) as until"
# Newest first, from each key no more than a page: a value that a million events share costs no more than a rare one.
PROPOSED_SQL = """
select v.event_id as id
from (select zixly.payload_key(%(tenant)s, kind, %(path)s, value) as key
      from unnest(%(kinds)s::text[], %(values)s::text[]) as wanted (kind, value)
      union all select zixly.payload_key(%(tenant)s, 'cut', '', '')) form
cross join lateral (
  select event_id from zixly.payload_values
  where key = form.key and event_id < %(before)s and event_id >= %(since)s
  order by event_id desc limit %(page)s
) v
group by v.event_id order by v.event_id desc limit %(page)s"""
PAYLOADS_SQL = """
select id, payload, archive_id is not null as is_archived from zixly.events
where id = any(%(ids)s) and tenant_id = %(tenant)s order by id desc"""
UNINDEXED_SQL = """
select id, payload from zixly.events
where tenant_id = %(tenant)s and id > %(indexed_through)s and id < %(before)s and id >= %(since)s
  and (select bool_or(position(part in payload) > 0) from unnest(%(written)s::bytea[]) part)
order by id desc limit %(page)s"""
KEEP_SQL = "insert into zixly.payload_searches (id, tenant_id, actor, path, event_ids, is_complete) values (%s, %s, %s, %s, %s, %s)"
KEPT_SQL = """
select s.id, s.tenant_id, t.slug as tenant, s.path, s.event_ids, s.is_complete, s.created_at
from zixly.payload_searches s join zixly.tenants t on t.id = s.tenant_id where s.id = %s"""
EVENTS_SQL = """
select e.id, e.delivery_id, e.kind, e.record_key, e.record_id, e.received_at, e.archive_id is not null as is_archived,
  coalesce((select jsonb_agg(jsonb_build_object('id', j.id, 'workflow', j.workflow_type, 'status', j.status, 'origin', j.origin)
                             order by j.created_at, j.id)
            from zixly.workflow_jobs j where j.event_id = e.id), '[]') as jobs
from zixly.events e where e.id = any(%s) order by e.id desc"""


@dataclass(frozen=True)
class Found:
    """Ids of events, newest first. Not complete: there are more than were asked for."""

    event_ids: tuple[UUID, ...]
    is_complete: bool


@dataclass(frozen=True)
class Within:
    """When the events were received."""

    since: datetime | None = None
    until: datetime | None = None


def find_events(connection: Rows, wanted: WantedValue, *, tenant_id: UUID, within: Within, limit: int = MAX_FOUND) -> Found:
    """The newest events of the tenant whose payload holds the value. As role `api`."""
    bounds = next(iter(connection.execute(BOUNDS_SQL, (within.since, within.until))))
    values = {
        "tenant": tenant_id,
        "path": wanted.path.indexed,
        "kinds": [kind for kind, _ in wanted.forms],
        "values": [value for _, value in wanted.forms],
        "since": bounds["since"] or UUID(int=0),
        "written": wanted.written,
        # Read first: what is indexed from now on is looked through, and what was is proposed.
        "indexed_through": next(iter(connection.execute(INDEXED_SQL)))["indexed_through"],
        "page": PAGE,
    }
    found: set[UUID] = set()
    for source in (unindexed, proposed):
        for event_id in source(connection, wanted, values, before=bounds["until"] or LAST_ID):
            found.add(event_id)
            if len(found) > limit:
                break
    newest = sorted(found, reverse=True)
    return Found(tuple(newest[:limit]), is_complete=len(newest) <= limit)


def unindexed(connection: Rows, wanted: WantedValue, values: dict[str, Any], *, before: UUID) -> Iterator[UUID]:
    """Of the events that the index does not know yet those that hold the value."""
    while rows := list(connection.execute(UNINDEXED_SQL, {**values, "before": before})):
        yield from (row["id"] for row in rows if wanted.is_in(row["payload"]))
        before = rows[-1]["id"]


def proposed(connection: Rows, wanted: WantedValue, values: dict[str, Any], *, before: UUID) -> Iterator[UUID]:
    """Of the events that the index proposes those that hold the value. An archived payload is not read back: its key is a digest of 64
    bits, and what was erased is in no index."""
    while rows := list(connection.execute(PROPOSED_SQL, {**values, "before": before})):
        ids = [row["id"] for row in rows]
        for row in connection.execute(PAYLOADS_SQL, {"ids": ids, "tenant": values["tenant"]}):
            if row["is_archived"] or (row["payload"] is not None and wanted.is_in(row["payload"])):
                yield row["id"]
        before = ids[-1]


def keep_search(connection: Rows, wanted: WantedValue, found: Found, *, tenant_id: UUID, actor: str) -> UUID:
    """Keep what was found, for a replay to name it. That somebody searched is in the audit log, what for is not."""
    search_id = new_id()
    kept = (search_id, tenant_id, actor, str(wanted.path), list(found.event_ids), found.is_complete)
    connection.execute(KEEP_SQL, kept)
    details = {"found": len(found.event_ids)}
    note(connection, actor=actor, action="payload.search", subject=search_id, tenant_id=tenant_id, details=details)
    return search_id


def kept_search(connection: Rows, search_id: UUID) -> dict[str, Any] | None:
    """A search with the ids that it found; None when the scope shows no such search."""
    return connection.execute(KEPT_SQL, (search_id,)).fetchone()


def events_found(connection: Rows, event_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """These events with their jobs, newest first, without their payloads."""
    return list(connection.execute(EVENTS_SQL, (list(event_ids),)))
