"""Accept a delivery: verify, read, route. What is to be written is decided here; `stores/intake.py` writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from zixly_core.errors import Rejected
from zixly_core.ids import new_id
from zixly_core.routing import Route, RoutingTable, Wanted
from zixly_core.system import Answer, IncomingRequest, ParsedEvent, System

# What a sender tells us about itself and what it signed; never cookies or authorisation.
KEPT_HEADERS = frozenset({"content-type", "content-length", "user-agent", "traceparent"})
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
UNSUPPORTED = Answer(status=415)


class Verdict(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    HANDSHAKE = "handshake"
    REJECTED = "rejected"
    UNROUTABLE = "unroutable"


class Outcome(StrEnum):
    """What became of an event. The ledger: received = the sum of these."""

    JOBS = "jobs"
    FILTERED = "filtered"
    DUPLICATE = "duplicate"
    UNROUTABLE = "unroutable"


@dataclass(frozen=True)
class NewJob:
    """A job to be made if its event turns out to be new."""

    id: UUID
    wanted: Wanted
    route: Route


@dataclass(frozen=True)
class RoutedEvent:
    """An event with the tenant it belongs to and the jobs that it would make."""

    id: UUID
    event: ParsedEvent
    route: Route | None
    jobs: tuple[NewJob, ...]

    @property
    def stored_key(self) -> str:
        """The dedupe key as it is kept: unique within the account that sent the event, so that no sender can take another's."""
        key, account = self.event.dedupe_key, self.event.external_id
        return key if key.startswith(f"{account}:") else f"{account}:{key}"

    @property
    def outcome_if_new(self) -> Outcome:
        if self.route is None:
            return Outcome.UNROUTABLE
        return Outcome.JOBS if self.jobs else Outcome.FILTERED


@dataclass(frozen=True)
class Prepared:
    """A delivery that is decided but not yet written."""

    id: UUID
    system: str
    path: str
    received_at: datetime
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    answer: Answer
    events: tuple[RoutedEvent, ...] = ()
    fixed_verdict: Verdict | None = None
    reason: str | None = None

    @property
    def body_sha256(self) -> bytes:
        return hashlib.sha256(self.body).digest()


@dataclass(frozen=True)
class Committed:
    """What the database made of a delivery. `to_wake` are the jobs whose ids go to the queue, by system."""

    delivery_id: UUID
    verdict: Verdict
    answer: Answer
    job_ids: tuple[UUID, ...] = ()
    to_wake: Mapping[str, Sequence[UUID]] = field(default_factory=dict)


def prepared(request: IncomingRequest, *, system: System, path: str, secrets: Sequence[str], routing: RoutingTable) -> Prepared:
    """Decide about one request. Never raises for what a sender can do: a refused request is a delivery with its reason."""
    if not takes_content_type(system, request.headers):
        return rejected(request, system=system.name, path=path, reason="content_type", answer=UNSUPPORTED)
    try:
        system.profile.verify(request, secrets=secrets)
        reading = system.profile.read(request)
    except Rejected as error:
        return rejected(request, system=system.name, path=path, reason=error.reason, answer=system.profile.rejection(error))
    return Prepared(
        id=new_id(),
        system=system.name,
        path=path,
        received_at=request.received_at,
        headers=kept_headers(request.headers),
        body=request.body,
        answer=reading.answer,
        events=tuple(routed(event, system=system.name, routing=routing) for event in reading.events),
        fixed_verdict=Verdict.HANDSHAKE if reading.is_handshake else None,
    )


def takes_content_type(system: System, headers: Mapping[str, str]) -> bool:
    """Whether the system takes what the request claims to be; parameters such as the charset do not matter."""
    given = headers.get("content-type", "").partition(";")[0].strip().lower()
    return not system.content_types or given in system.content_types


def rejected(request: IncomingRequest, *, system: str, path: str, reason: str, answer: Answer) -> Prepared:
    """A delivery that is refused and kept for the record."""
    return Prepared(
        id=new_id(),
        system=system,
        path=path,
        received_at=request.received_at,
        headers=kept_headers(request.headers),
        body=request.body,
        answer=answer,
        fixed_verdict=Verdict.REJECTED,
        reason=reason,
    )


def routed(event: ParsedEvent, *, system: str, routing: RoutingTable) -> RoutedEvent:
    """The event with its tenant and, for each enabled workflow that wants it, a job to be."""
    route = routing.subject_route(system, event)
    wanted = routing.wanted_by(system, event.kind, route.tenant_id) if route else []
    jobs = tuple(NewJob(new_id(), one, route) for one in wanted if route is not None)
    return RoutedEvent(id=new_id(), event=event, route=route, jobs=jobs)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers worth keeping: those of the sender's own protocol, needed to verify the delivery again."""
    return {
        name: value
        for name, value in headers.items()
        if name in KEPT_HEADERS or (name.startswith(("x-", "webhook-")) and name not in SECRET_HEADERS)
    }


def verdict_of(outcomes: Sequence[Outcome]) -> Verdict:
    """The verdict on a delivery from what became of its events."""
    if outcomes and all(one is Outcome.DUPLICATE for one in outcomes):
        return Verdict.DUPLICATE
    if outcomes and all(one is Outcome.UNROUTABLE for one in outcomes):
        return Verdict.UNROUTABLE
    return Verdict.ACCEPTED
