"""Deliveries on their way into the database: decided, then written, then answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from zixly_core.ids import new_id
from zixly_core.routing import Route, Wanted
from zixly_core.subscriptions import Subscription
from zixly_core.system import Answer, IncomingRequest, Numbers, ParsedEvent


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
    """An event with the tenant it belongs to, the jobs that it would make, and the job that waits for it."""

    id: UUID
    event: ParsedEvent
    route: Route | None
    jobs: tuple[NewJob, ...]
    wakes: UUID | None = None

    @property
    def stored_key(self) -> str:
        """The dedupe key as it is kept: unique within the account that sent the event, so that no sender can take another's."""
        key, account = self.event.dedupe_key, self.event.external_id
        key = f"{key}:{self.event.fingerprint}" if self.event.fingerprint else key
        return key if key.startswith(f"{account}:") else f"{account}:{key}"

    @property
    def outcome_if_new(self) -> Outcome:
        """An event that wakes a job has one, though it makes none: in the ledger it counts among those with jobs, and no job is
        counted as made."""
        if self.route is None:
            return Outcome.UNROUTABLE
        return Outcome.JOBS if self.jobs or self.wakes else Outcome.FILTERED


@dataclass(frozen=True)
class Offer:
    """The secret that a handshake brings for its path. Whether it is the first one only the database can tell; `refusal` is the
    answer when it is not."""

    subscription_id: UUID
    connection_id: UUID
    secret: str = field(repr=False)
    refusal: Answer
    id: UUID = field(default_factory=new_id)
    sealed: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Prepared:
    """A delivery that is decided but not yet written."""

    id: UUID
    request: IncomingRequest = field(repr=False)
    system: str
    path: str
    received_at: datetime
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    answer: Answer
    events: tuple[RoutedEvent, ...] = ()
    fixed_verdict: Verdict | None = None
    reason: str | None = None
    subscription: Subscription | None = None
    """The path that it came by, where that is one of a sender's own."""
    offer: Offer | None = None
    sealed: bytes | None = field(default=None, repr=False)
    """The whole request as it is stored when it is rejected."""
    verifies_again: UUID | None = None
    """The rejected delivery that this one is, verified again."""
    numbers: Numbers | None = None

    @property
    def trace(self) -> UUID:
        """The trace that it belongs to: its sender's, or the one that it begins."""
        return self.request.trace_id or self.id

    @property
    def body_sha256(self) -> bytes:
        return hashlib.sha256(self.body).digest()

    @property
    def stored_body(self) -> bytes:
        """The body as it is stored beside the delivery: that of a rejected one only within what is sealed."""
        return b"" if self.fixed_verdict is Verdict.REJECTED else self.body


@dataclass(frozen=True)
class Committed:
    """What the database made of a delivery. `to_wake` are the jobs whose ids go to the queue, by system."""

    delivery_id: UUID
    verdict: Verdict
    answer: Answer
    job_ids: tuple[UUID, ...] = ()
    to_wake: Mapping[str, Sequence[UUID]] = field(default_factory=dict)


def verdict_of(outcomes: Sequence[Outcome]) -> Verdict:
    """The verdict on a delivery from what became of its events."""
    if outcomes and all(one is Outcome.DUPLICATE for one in outcomes):
        return Verdict.DUPLICATE
    if outcomes and all(one is Outcome.UNROUTABLE for one in outcomes):
        return Verdict.UNROUTABLE
    return Verdict.ACCEPTED
