"""Accept deliveries: decide, commit together with others, then wake the queues.

Everything that a sender waits for happens within `DEADLINE`; past it he is told to come back. His delivery may be committed all
the same, and his next try is then a duplicate, which is answered like the first.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from uuid import UUID

import psycopg
import structlog
from psycopg import errors

from webhook_bridge.announcer import Announcer
from webhook_bridge.buckets import KeptRejections
from webhook_bridge.database import AsyncDatabase
from webhook_bridge.limits import Limits
from webhook_bridge.routing_snapshot import RoutingSnapshot
from zixly_core.errors import MalformedPayload, StoreUnavailable
from zixly_core.group_commit import GroupCommit
from zixly_core.intake import prepared, rejected, sealed
from zixly_core.job_spans import tell_made
from zixly_core.kept_requests import Box
from zixly_core.metrics import ProcessMetrics
from zixly_core.prepared import Committed, Prepared, Verdict
from zixly_core.rates.rate import Taken
from zixly_core.routing import Route, RoutingTable
from zixly_core.stores.histograms import COUNTER_SHARDS
from zixly_core.stores.intake import commit_deliveries
from zixly_core.system import Answer, IncomingRequest, System
from zixly_core.trace_context import TraceContext, new_span, span_of
from zixly_core.tracing import Span, is_recorded, now_ns, record

log = structlog.get_logger()
DEADLINE = timedelta(seconds=4)  # Xero and HubSpot give up after 5 s
STOP_SECONDS = 3.0
COMMITTERS = 2  # while one commit is flushed to disk the next is being filled and sent
# What is said about a delivery that cannot be held: U+0000 in a text, a key too long for its index, JSON nested too deeply.
UNSTORABLE = (psycopg.DataError, errors.ProgramLimitExceeded, MalformedPayload)


@dataclass(frozen=True)
class IntakeParts:
    """What accepting needs, made by the composition root."""

    database: AsyncDatabase
    routing: RoutingSnapshot
    announcer: Announcer
    metrics: ProcessMetrics
    limits: Limits
    app_secrets: Mapping[str, tuple[str, ...]] = field(repr=False)
    """The signing secrets of our apps at the vendors, by system."""
    box: Box | None
    """What seals rejected requests and the secrets of handshakes."""


class IntakeService:
    """Accepts deliveries of all systems. `start` and `stop` belong to the process's life."""

    def __init__(self, parts: IntakeParts) -> None:
        self._parts = parts
        self._kept = KeptRejections()
        self._shards = itertools.count(os.getpid())
        self._commits: GroupCommit[Prepared, Committed] = GroupCommit(self._commit, committers=COMMITTERS)

    async def start(self) -> None:
        await self._parts.database.open()
        await self._parts.routing.start()
        self._parts.announcer.start()
        self._commits.start()

    async def stop(self) -> None:
        """Commit what was taken, queue what was committed, and let go, within a few seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._commits.stop(), STOP_SECONDS)
        await self._parts.routing.stop()
        await self._parts.announcer.stop()
        await self._parts.database.close()

    def announce(self, to_wake: Mapping[str, Sequence[UUID]]) -> None:
        """Tell the queues of jobs that were made otherwise than by a delivery."""
        self._parts.announcer.announce(to_wake)

    async def accept(self, request: IncomingRequest, *, system: System) -> Committed:
        """What became of one request; when this returns it is on disk. Raises `StoreUnavailable`: nothing is promised."""
        async with in_time(system, metrics=self._parts.metrics):
            return await self._kept_or_counted(await self._decided(request, system=system), system=system, client=request.client)

    async def refuse(self, request: IncomingRequest, *, system: System, reason: str, answer: Answer) -> Committed:
        """Keep the record of a request that was refused before it was read, like `accept`."""
        delivery = rejected(request, system=system.name, reason=reason, answer=answer)
        async with in_time(system, metrics=self._parts.metrics):
            return await self._kept_or_counted(delivery, system=system, client=request.client)

    async def read_routing_again(self) -> None:
        """Know the connections, paths and secrets of this moment. Raises `StoreUnavailable`."""
        await self._parts.routing.read_from_now_on()

    def judged_again(self, request: IncomingRequest, *, system: System) -> Prepared | None:
        """What a rejected request is by the clock of its arrival and the secrets of today; None when it stays rejected. A handshake
        does: whoever waited for its answer has long given up. Raises `StoreUnavailable`."""
        delivery = self._decide(request, system=system, table=self._parts.routing.current)
        return None if delivery.fixed_verdict is Verdict.REJECTED or delivery.offer is not None else delivery

    async def accept_again(self, delivery: Prepared, *, system: System, rejected_id: UUID) -> Committed:
        """Accept what `judged_again` found good, like a delivery that comes now. Raises `StoreUnavailable`."""
        again = replace(delivery, received_at=datetime.now(UTC), verifies_again=rejected_id)
        async with in_time(system, metrics=self._parts.metrics):
            return self._counted(await self._committed(again, system=system), system=system)

    async def _decided(self, request: IncomingRequest, *, system: System) -> Prepared:
        """What the request is, by a table that is young enough: an account or a path may be known since a moment ago."""
        table = self._parts.routing.current
        delivery = self._decide(request, system=system, table=table)
        owner = system.profile.secret_owner(request)
        knows_sender = owner is None or self._can_verify(table.route_of(system.name, owner), delivery)
        if knows_sender and all(one.route is not None for one in delivery.events):
            return delivery
        return self._decide(request, system=system, table=await self._parts.routing.read_from_now_on())

    def _decide(self, request: IncomingRequest, *, system: System, table: RoutingTable) -> Prepared:
        secrets = self._secrets(request, system=system, table=table)
        return prepared(request, system=system, secrets=secrets, routing=table)

    def _can_verify(self, route: Route | None, delivery: Prepared) -> bool:
        """Whether a younger routing table could not make more of it: its path is known, and so is what proves it."""
        if route is None:
            return False
        return delivery.fixed_verdict is not Verdict.REJECTED or bool(self._parts.routing.secrets_of(route))

    def _secrets(self, request: IncomingRequest, *, system: System, table: RoutingTable) -> Sequence[str]:
        owner = system.profile.secret_owner(request)
        if owner is None:
            return self._parts.app_secrets.get(system.name, ())
        route = table.route_of(system.name, owner)
        return () if route is None else self._parts.routing.secrets_of(route)

    async def _kept_or_counted(self, delivery: Prepared, *, system: System, client: str) -> Committed:
        if delivery.fixed_verdict is Verdict.REJECTED:
            taken = await self._parts.limits.unsigned(client)
            if not taken.is_allowed:
                self._parts.metrics.not_kept.labels(system.name).inc()
                return self._counted(Committed(delivery.id, Verdict.REJECTED, too_many(taken)), system=system)
            if not self._kept.may_keep(system.name, path=delivery.path, client=client, size_bytes=len(delivery.body)):
                self._parts.metrics.not_kept.labels(system.name).inc()
                return self._counted(Committed(delivery.id, Verdict.REJECTED, delivery.answer), system=system)
            log.info("delivery_rejected", system=system.name, delivery_id=str(delivery.id), reason=delivery.reason)
        return self._counted(await self._committed(delivery, system=system), system=system)

    async def _committed(self, delivery: Prepared, *, system: System) -> Committed:
        began = now_ns()
        try:
            done = await self._commits.submit(sealed(delivery, self._parts.box))
        except UNSTORABLE:
            done = await self._commits.submit(sealed(without_events(delivery, system=system), self._parts.box))
        if is_recorded(delivery.trace):
            tell_committed(delivery, done, began_ns=began)
        self._parts.announcer.announce(done.to_wake)
        return done

    def _counted(self, done: Committed, *, system: System) -> Committed:
        self._parts.metrics.deliveries.labels(system.name, done.verdict.value).inc()
        return done

    async def _commit(self, deliveries: Sequence[Prepared]) -> list[Committed]:
        """One shared commit. Each takes the next shard of the counters, so that two committers never wait for one row."""
        began = perf_counter()
        async with self._parts.database.connection() as connection:
            done = await commit_deliveries(connection, deliveries, shard=next(self._shards) % COUNTER_SHARDS)
        seconds = perf_counter() - began
        self._parts.metrics.commit_duration.observe(seconds)
        self._parts.metrics.commit_size.observe(len(deliveries))
        jobs = sum(len(ids) for one in done for ids in one.to_wake.values())
        log.info("deliveries_committed", deliveries=len(done), jobs=jobs, milliseconds=round(seconds * 1000, 1), **named(deliveries))
        return done


def named(deliveries: Sequence[Prepared]) -> dict[str, object]:
    """The deliveries of a commit by delivery and trace, for its log line; jobs are found by either (`zixly trace`)."""
    if len(deliveries) == 1:
        return {"delivery_id": deliveries[0].id, "trace_id": deliveries[0].trace.hex}
    traces = [one.request.trace_id.hex for one in deliveries if one.request.trace_id is not None]
    return {"delivery_ids": [one.id for one in deliveries], **({"trace_ids": traces} if traces else {})}


def tell_committed(delivery: Prepared, done: Committed, *, began_ns: int) -> None:
    """Spans in the delivery's trace: one for the commit, and one for each job that it made."""
    received = TraceContext(delivery.trace, span_of(delivery.verifies_again or delivery.id))
    facts = {
        "zixly.delivery.id": delivery.id,
        "zixly.system": delivery.system,
        "zixly.verdict": done.verdict,
        "zixly.reason": delivery.reason,
    }
    record(Span("commit", TraceContext(delivery.trace, new_span()), began_ns, now_ns(), parent=received, attributes=facts))
    made = {job.id: job.wanted.workflow for event in delivery.events for job in event.jobs}
    for job_id in done.job_ids:
        if job_id in made:
            tell_made(job_id, workflow=made[job_id], because_of=received)


def too_many(taken: Taken) -> Answer:
    """What a sender gets that proves nothing again and again."""
    return Answer(status=429, body=b"", headers={"retry-after": str(taken.reset_seconds)})


@asynccontextmanager
async def in_time(system: System, *, metrics: ProcessMetrics) -> AsyncIterator[None]:
    """Turns everything that keeps a sender waiting or goes wrong here into `StoreUnavailable`: never a success, never a 500."""
    try:
        async with asyncio.timeout(DEADLINE.total_seconds()):
            yield
    except StoreUnavailable:
        metrics.not_stored.labels(system.name).inc()
        raise
    except TimeoutError as error:
        metrics.not_stored.labels(system.name).inc()
        message = f"The delivery was not stored within {DEADLINE.total_seconds():.0f} s; send it again."
        raise StoreUnavailable(message, reason="too_slow") from error
    except Exception as error:
        metrics.not_stored.labels(system.name).inc()
        log.exception("delivery_not_accepted", system=system.name)
        raise StoreUnavailable("The delivery could not be stored; send it again.", reason="not_stored") from error


def without_events(delivery: Prepared, *, system: System) -> Prepared:
    """A delivery whose events cannot be stored, kept for the record and answered as one that cannot be read."""
    error = MalformedPayload("The delivery holds text that cannot be stored.", reason="not_storable")
    log.warning("delivery_not_storable", system=system.name, delivery_id=str(delivery.id))
    answer = system.profile.rejection(error)
    kept = replace(delivery, events=(), headers={}, offer=None, verifies_again=None)
    return replace(kept, answer=answer, fixed_verdict=Verdict.REJECTED, reason=error.reason)
