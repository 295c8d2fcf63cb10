"""Write deliveries, events and jobs of many requests in one transaction, and tell each what it became.

Two round trips: the dedupe keys first, whose uniqueness decides which events are new, then everything else and the commit. Rows go
in ordered by dedupe key, so that two writers that share keys wait for each other instead of dead-locking. A handshake takes one more,
and so does an event that was there already or that a job waits for.

The ledger balances: every event is written with one outcome. An event that wakes a job counts among those with jobs although it
makes none (the job was counted when it was made); when that job has ended meanwhile, nobody wanted the event: it is filtered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from zixly_core.errors import MalformedPayload, StoreUnavailable
from zixly_core.prepared import Committed, NewJob, Outcome, Prepared, RoutedEvent, Verdict, verdict_of
from zixly_core.stores.packed import kinds_of, packed_columns
from zixly_core.stores.paths import Woken, jobs_woken, note_use, with_first_secrets
from zixly_core.stores.rows import columns_of, rows_from

KEY_COLUMNS = "system text, key text, event_id uuid"
NEW_KEYS_SQL = f"""
insert into zixly.dedupe_keys (system, key, event_id)
select system, key, event_id from {rows_from(KEY_COLUMNS)}
on conflict do nothing returning event_id"""

# Of the events seen before: which event holds the key, its jobs, and whether a job still waits to be handed over.
KNOWN_KEYS_SQL = f"""
select k.system, k.key, k.event_id, j.id as job_id, j.system as job_system,
       (j.status = 'QUEUED' and j.batch_id is null) as waits
from {rows_from("system text, key text")}
join zixly.dedupe_keys k using (system, key)
left join zixly.workflow_jobs j on j.event_id = k.event_id"""

DELIVERY_COLUMNS = (
    "id uuid, system text, path text, received_at timestamptz, verdict text, reason text, status smallint, headers text, "
    "body bytea, body_sha256 bytea, event_count int, sealed bytea, first_sequence bigint, last_sequence bigint, trace_id uuid"
)
DELIVERIES_SQL = f"""
insert into zixly.deliveries (id, system, path, received_at, verdict, reason, status, headers, body, body_sha256, event_count, sealed,
                              first_sequence, last_sequence, trace_id)
select id, system, path, received_at, verdict, reason, status, headers::jsonb, body, body_sha256, event_count, sealed,
       first_sequence, last_sequence, trace_id
from {rows_from(DELIVERY_COLUMNS)}"""

VERIFIED_SQL = f"""
update zixly.deliveries d set reverified_at = now(), accepted_as = t.id
from {rows_from("id uuid, rejected_id uuid")} where d.id = t.rejected_id and d.accepted_as is null"""

EVENT_COLUMNS = (
    "id uuid, delivery_id uuid, tenant_id uuid, connection_id uuid, system text, kind text, external_id text, record_key text, "
    "record_id text, dedupe_key text, outcome text, duplicate_of uuid, occurred_at timestamptz, received_at timestamptz, "
    "payload bytea, trace_id uuid"
)
EVENTS_SQL = f"""
insert into zixly.events (id, delivery_id, tenant_id, connection_id, system, kind, external_id, record_key, record_id,
                          dedupe_key, outcome, duplicate_of, occurred_at, received_at, payload, trace_id)
select * from {rows_from(EVENT_COLUMNS)}"""

JOB_COLUMNS = (
    "id uuid, tenant_id uuid, connection_id uuid, event_id uuid, workflow_type text, system text, priority smallint, "
    "record_key text, record_id text, occurred_at timestamptz, trigger_data text, trace_id uuid"
)
JOBS_SQL = f"""
insert into zixly.workflow_jobs (id, tenant_id, connection_id, event_id, workflow_type, system, priority, record_key, record_id,
                                 occurred_at, trigger_data, trace_id)
select id, tenant_id, connection_id, event_id, workflow_type, system, priority, record_key, record_id, occurred_at,
       trigger_data::jsonb, trace_id
from {rows_from(JOB_COLUMNS)}"""

QUEUED_COUNTER_SQL = f"""
insert into zixly.job_counters (name, job_type, shard, value)
select 'queued', job_type, shard, value from {rows_from("job_type text, shard smallint, value float8")}
on conflict (name, job_type, status, shard) do update set value = job_counters.value + excluded.value"""

KEY_KINDS, DELIVERY_KINDS, EVENT_KINDS, JOB_KINDS = map(kinds_of, (KEY_COLUMNS, DELIVERY_COLUMNS, EVENT_COLUMNS, JOB_COLUMNS))


@dataclass(frozen=True)
class Known:
    """An event accepted earlier under the same key: its id and its jobs, with their systems where they still wait."""

    event_id: UUID
    job_ids: tuple[UUID, ...]
    waiting: tuple[tuple[str, UUID], ...]


async def commit_deliveries(connection: AsyncConnection[DictRow], deliveries: Sequence[Prepared], *, shard: int) -> list[Committed]:
    """Write all in one transaction. The answers may leave when this has returned, not before."""
    async with in_one_transaction(connection):
        deliveries = await with_first_secrets(connection, deliveries)
        systems = systems_of(deliveries)
        routed = [event for delivery in deliveries for event in delivery.events if event.route is not None]
        new_ids = await keys_taken(connection, routed, systems=systems)
        known: dict[tuple[str, str], Known] = {}
        if len(new_ids) < len(routed):
            repeated = [event for event in routed if event.id not in new_ids]
            known = await known_events(connection, repeated, systems=systems)
            known |= new_in_this_commit(deliveries, new_ids)
        woken = await jobs_woken(connection, [event for event in routed if event.id in new_ids])
        outcomes = {event.id: outcome_of(event, new_ids, woken) for delivery in deliveries for event in delivery.events}
        await write_deliveries(connection, deliveries, outcomes)
        await write_events(connection, deliveries, outcomes, known)
        await write_jobs(connection, deliveries, outcomes, shard=shard)
        await note_use(connection, deliveries, new_ids=new_ids)
        await mark_verified(connection, deliveries)
    return [committed(delivery, outcomes, known, woken) for delivery in deliveries]


@asynccontextmanager
async def in_one_transaction(connection: AsyncConnection[DictRow]) -> AsyncIterator[None]:
    """A transaction whose statements are sent one after the other without waiting for their answers, its end included: only what is
    asked is waited for. The driver's own way waits for the beginning, and for everything before the end."""
    try:
        async with connection.pipeline():
            await connection.execute("begin")
            yield
            ended = await connection.execute("commit")
        check_committed(ended.statusmessage)
    except Exception:  # whoever is called off leaves it to the pool, which does not wait for an answer that may never come
        await connection.rollback()
        raise


def check_committed(answer: str | None) -> None:
    """A transaction that had failed answers ROLLBACK to its commit, and that is no error to the driver."""
    if answer != "COMMIT":
        raise StoreUnavailable(f"Postgres answered {answer} to the commit of deliveries; send them again.")


def systems_of(deliveries: Iterable[Prepared]) -> dict[UUID, str]:
    """The system that each event came from, by event id."""
    return {event.id: delivery.system for delivery in deliveries for event in delivery.events}


def outcome_of(event: RoutedEvent, new_ids: set[UUID], woken: Woken) -> Outcome:
    if event.route is not None and event.id not in new_ids:
        return Outcome.DUPLICATE
    if event.wakes is not None and event.id not in woken:
        return Outcome.FILTERED
    return event.outcome_if_new


async def keys_taken(connection: AsyncConnection[DictRow], events: Sequence[RoutedEvent], *, systems: Mapping[UUID, str]) -> set[UUID]:
    """Claim the dedupe keys; the ids of the events that are new. The key of an unroutable event is not claimed: it may become
    routable, and its sender's next try must then count."""
    if not events:
        return set()
    ordered = sorted((systems[one.id], one.stored_key, one.id) for one in events)
    cursor = await connection.execute(NEW_KEYS_SQL, packed_columns(KEY_KINDS, ordered), prepare=True)
    return {row["event_id"] for row in await cursor.fetchall()}


async def known_events(
    connection: AsyncConnection[DictRow], events: Sequence[RoutedEvent], *, systems: Mapping[UUID, str]
) -> dict[tuple[str, str], Known]:
    """What is known under the keys of repeated events."""
    keys = sorted({(systems[one.id], one.stored_key) for one in events})
    if not keys:
        return {}
    cursor = await connection.execute(KNOWN_KEYS_SQL, ([system for system, _ in keys], [key for _, key in keys]))
    found: dict[tuple[str, str], list[DictRow]] = {}
    for row in await cursor.fetchall():
        found.setdefault((row["system"], row["key"]), []).append(row)
    return {key: known_from(rows) for key, rows in found.items()}


def new_in_this_commit(deliveries: Sequence[Prepared], new_ids: set[UUID]) -> dict[tuple[str, str], Known]:
    """The new events by key, for their repeats within the same commit; their jobs are announced once already."""
    return {
        (delivery.system, one.stored_key): Known(one.id, tuple(job.id for job in one.jobs), waiting=())
        for delivery in deliveries
        for one in delivery.events
        if one.id in new_ids
    }


def known_from(rows: Sequence[DictRow]) -> Known:
    return Known(
        event_id=rows[0]["event_id"],
        job_ids=tuple(row["job_id"] for row in rows if row["job_id"]),
        waiting=tuple((row["job_system"], row["job_id"]) for row in rows if row["waits"]),
    )


async def write_deliveries(connection: AsyncConnection[DictRow], deliveries: Sequence[Prepared], outcomes: Mapping[UUID, Outcome]) -> None:
    rows = [
        (
            one.id,
            one.system,
            one.path,
            one.received_at,
            delivery_verdict(one, outcomes).value,
            one.reason,
            one.answer.status,
            orjson.dumps(one.headers).decode(),
            one.stored_body,
            one.body_sha256,
            len(one.events),
            one.sealed,
            one.numbers.first if one.numbers else None,
            one.numbers.last if one.numbers else None,
            one.request.trace_id,
        )
        for one in deliveries
    ]
    await connection.execute(DELIVERIES_SQL, packed_columns(DELIVERY_KINDS, rows), prepare=True)


async def mark_verified(connection: AsyncConnection[DictRow], deliveries: Sequence[Prepared]) -> None:
    """Tell rejected deliveries what they became, in the commit that accepts them."""
    rows = sorted((one.id, one.verifies_again) for one in deliveries if one.verifies_again is not None)
    if rows:
        await connection.execute(VERIFIED_SQL, columns_of(rows))


async def write_events(
    connection: AsyncConnection[DictRow],
    deliveries: Sequence[Prepared],
    outcomes: Mapping[UUID, Outcome],
    known: Mapping[tuple[str, str], Known],
) -> None:
    rows = [event_row(delivery, one, outcomes[one.id], known) for delivery in deliveries for one in delivery.events]
    if rows:
        await connection.execute(EVENTS_SQL, packed_columns(EVENT_KINDS, rows), prepare=True)


def event_row(delivery: Prepared, one: RoutedEvent, outcome: Outcome, known: Mapping[tuple[str, str], Known]) -> tuple[Any, ...]:
    earlier = known.get((delivery.system, one.stored_key)) if outcome is Outcome.DUPLICATE else None
    return (
        one.id,
        delivery.id,
        one.route.tenant_id if one.route else None,
        one.route.connection_id if one.route else None,
        delivery.system,
        one.event.kind,
        one.event.external_id,
        one.event.record_key,
        one.event.record_id,
        one.stored_key,
        outcome.value,
        earlier.event_id if earlier else None,
        one.event.occurred_at,
        delivery.received_at,
        None if earlier else payload_of(one),
        delivery.request.trace_id,
    )


def payload_of(one: RoutedEvent) -> bytes:
    """The event's own JSON. Raises `MalformedPayload` for nesting that could be read but not written again."""
    try:
        return orjson.dumps(one.event.payload)
    except orjson.JSONEncodeError as error:
        raise MalformedPayload("The payload of an event is nested too deeply to be kept.", reason="not_storable") from error


async def write_jobs(
    connection: AsyncConnection[DictRow], deliveries: Sequence[Prepared], outcomes: Mapping[UUID, Outcome], *, shard: int
) -> None:
    rows = [
        job_row(delivery, one, job)
        for delivery in deliveries
        for one in delivery.events
        if outcomes[one.id] is Outcome.JOBS
        for job in one.jobs
    ]
    if not rows:
        return
    await connection.execute(JOBS_SQL, packed_columns(JOB_KINDS, rows), prepare=True)
    counts: dict[str, int] = {}
    for row in rows:
        counts[row[4]] = counts.get(row[4], 0) + 1
    names = sorted(counts)
    await connection.execute(QUEUED_COUNTER_SQL, (names, [shard] * len(names), [float(counts[name]) for name in names]), prepare=True)


def job_row(delivery: Prepared, one: RoutedEvent, job: NewJob) -> tuple[Any, ...]:
    trigger = {"delivery_id": str(delivery.id), "kind": one.event.kind, "record_id": one.event.record_id}
    return (
        job.id,
        job.route.tenant_id,
        job.route.connection_id,
        one.id,
        job.wanted.workflow,
        job.wanted.system,
        job.wanted.priority,
        one.event.record_key,
        one.event.record_id,
        one.event.occurred_at,
        orjson.dumps(trigger).decode(),
        delivery.trace,
    )


def delivery_verdict(delivery: Prepared, outcomes: Mapping[UUID, Outcome]) -> Verdict:
    return delivery.fixed_verdict or verdict_of([outcomes[one.id] for one in delivery.events])


def committed(delivery: Prepared, outcomes: Mapping[UUID, Outcome], known: Mapping[tuple[str, str], Known], woken: Woken) -> Committed:
    job_ids: list[UUID] = []
    to_wake: dict[str, list[UUID]] = {}
    for one in delivery.events:
        if one.wakes is not None:
            job_ids.append(one.wakes)
            if one.id in woken:
                to_wake.setdefault(woken[one.id], []).append(one.wakes)
        elif outcomes[one.id] is Outcome.JOBS:
            job_ids += [job.id for job in one.jobs]
            for job in one.jobs:
                to_wake.setdefault(job.wanted.system, []).append(job.id)
        elif outcomes[one.id] is Outcome.DUPLICATE and (earlier := known.get((delivery.system, one.stored_key))):
            job_ids += earlier.job_ids
            for system, job_id in earlier.waiting:
                to_wake.setdefault(system, []).append(job_id)
    return Committed(
        delivery_id=delivery.id,
        verdict=delivery_verdict(delivery, outcomes),
        answer=delivery.answer,
        job_ids=tuple(job_ids),
        to_wake=to_wake,
    )
