"""Senders' own paths as the intake writes about them, within the commit of the deliveries that came by them.

Rows are taken in the order of their ids, so that two commits about the same paths wait for each other instead of dead-locking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from zixly_core.prepared import Offer, Prepared, RoutedEvent, Verdict
from zixly_core.stores.rows import columns_of, rows_from
from zixly_core.subscriptions import SubscriptionKind

# The first secret of a path that waits for one. Whoever comes second, in this commit or another, finds the place taken.
SECRETS_SQL = f"""
insert into zixly.signing_secrets (id, connection_id, subscription_id, ciphertext)
select t.id, t.connection_id, t.subscription_id, t.ciphertext
from {rows_from("id uuid, connection_id uuid, subscription_id uuid, ciphertext bytea")}
join zixly.subscriptions s on s.id = t.subscription_id and s.kind = 'handshake' and s.status = 'PENDING'
order by t.subscription_id
on conflict (subscription_id) where retired_at is null do nothing returning id, subscription_id"""
ACTIVE_SQL = "update zixly.subscriptions set status = 'ACTIVE', last_seen_at = now() where id = any(%s)"

# The wait ends now. A job that is not waiting yet (the service was quicker than our commit) finds the event when it is about to.
WOKEN_SQL = f"""
update zixly.workflow_jobs j
set wake_event_id = t.event_id, waiting_until = case when j.waiting_until is not null then now() end
from {rows_from("job_id uuid, event_id uuid")}
where j.id = t.job_id and j.status in ('QUEUED', 'RUNNING') and j.wake_event_id is null
returning t.event_id, j.system"""

USED_SQL = "update zixly.subscriptions set used_at = now(), status = 'GONE', last_seen_at = now() where id = any(%s) and used_at is null"
# Good enough to see a webhook die, and no row that every delivery waits for.
SEEN_SQL = """
update zixly.subscriptions s set last_seen_at = now()
from (select id from zixly.subscriptions
      where id = any(%s) and (last_seen_at is null or last_seen_at < now() - interval '1 minute')
      order by id for update skip locked) quiet
where s.id = quiet.id"""

Woken = Mapping[UUID, str]
"""Event -> the system of the job that it woke."""


async def with_first_secrets(connection: AsyncConnection[DictRow], deliveries: Sequence[Prepared]) -> Sequence[Prepared]:
    """Keep the secrets that handshakes bring. A handshake whose path has one already is turned into its refusal."""
    offers = [one.offer for one in deliveries if one.offer is not None]
    if not offers:
        return deliveries
    cursor = await connection.execute(SECRETS_SQL, columns_of([offer_row(one) for one in offers]))
    kept = {row["id"]: row["subscription_id"] for row in await cursor.fetchall()}
    await connection.execute(ACTIVE_SQL, (list(kept.values()),))
    return [one if one.offer is None else judged(one, one.offer, is_first=one.offer.id in kept) for one in deliveries]


def judged(delivery: Prepared, offer: Offer, *, is_first: bool) -> Prepared:
    """The delivery of a handshake as it ends: taken, or refused and kept sealed like every refused request."""
    if is_first:
        return replace(delivery, sealed=None)
    return replace(delivery, answer=offer.refusal, fixed_verdict=Verdict.REJECTED, reason="handshake_refused")


def offer_row(offer: Offer) -> tuple[Any, ...]:
    return (offer.id, offer.connection_id, offer.subscription_id, offer.sealed)


async def jobs_woken(connection: AsyncConnection[DictRow], events: Iterable[RoutedEvent]) -> Woken:
    """End the waits that these events answer. An event is missing when its job has ended meanwhile."""
    rows = sorted((one.wakes, one.id) for one in events if one.wakes is not None)
    if not rows:
        return {}
    cursor = await connection.execute(WOKEN_SQL, columns_of(rows))
    return {row["event_id"]: row["system"] for row in await cursor.fetchall()}


async def note_use(connection: AsyncConnection[DictRow], deliveries: Sequence[Prepared], *, new_ids: set[UUID]) -> None:
    """When each path was last used, to the minute; a path for one answer is used up."""
    for query, ids in ((USED_SQL, used_up(deliveries, new_ids)), (SEEN_SQL, others_used(deliveries))):
        if ids:
            await connection.execute(query, (sorted(ids),))


def used_up(deliveries: Sequence[Prepared], new_ids: set[UUID]) -> set[UUID]:
    return {
        one.subscription.id
        for one in deliveries
        if one.subscription is not None and one.subscription.kind is SubscriptionKind.ONCE and any(e.id in new_ids for e in one.events)
    }


def others_used(deliveries: Sequence[Prepared]) -> set[UUID]:
    return {
        one.subscription.id
        for one in deliveries
        if one.subscription is not None and one.subscription.kind is not SubscriptionKind.ONCE and one.offer is None
    }
