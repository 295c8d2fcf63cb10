"""The words about a job: its status, what a try at it came to, and when the next try is due."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from zixly_core.errors import BudgetSpent, ConnectionBusy, Disconnected, LeaseLost, Permanent, Transient, VendorDown, ZixlyError
from zixly_core.trace_context import TraceContext, span_of

PLAIN_WORD = re.compile(r"[a-z]+")
MAX_OPERATION = 60
MAX_BACKOFF = timedelta(minutes=10)
# What the record keys of dry runs end in, before the job's id.
DRY_RUN_ENDING = ":dry-run:"

Action = Literal["READ", "UPDATE", "CREATE"]


class JobStatus(StrEnum):
    """Where a job stands. The last three are ends."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class RelatedRecord:
    """A record of an outside system that a job read, created or updated."""

    system: str
    record_type: str
    record_id: str
    action: Action
    url: str | None = None


@dataclass(frozen=True)
class ClaimedJob:
    """A job in this run's hands. `fence` proves it: writes carry it and match nothing once somebody else took over."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    record_key: str
    record_id: str
    occurred_at: datetime
    attempts: int
    fence: int
    started_at: datetime
    trigger: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: Mapping[str, Any] = field(default_factory=dict, repr=False)
    cancel_requested: bool = False
    event_id: UUID | None = None
    wake_event_id: UUID | None = None
    """The event that ended the job's wait: a callback with what it waited for."""
    created_at: datetime | None = None
    trace_id: UUID | None = None
    """The trace of the delivery that it came of; None for a job that began one."""

    @property
    def trace(self) -> TraceContext:
        """Where in which trace the job was made: what is done for it is done because of that."""
        return TraceContext(self.trace_id or self.id, span_of(self.id))

    @property
    def delivery_id(self) -> str | None:
        """The delivery that it came of, for log lines."""
        delivery = self.trigger.get("delivery_id")
        return delivery if isinstance(delivery, str) else None

    @property
    def is_dry_run(self) -> bool:
        """Whether the job is only to tell what it would write."""
        return self.trigger.get("dry_run") is True

    @property
    def repairs(self) -> str | None:
        """The drift that the job is to repair: its record is worked on though nothing changed at the source, and written anew."""
        drift = self.trigger.get("drift")
        return drift if isinstance(drift, str) else None

    @property
    def source_key(self) -> str:
        """The outside record that the job is about. A dry run stands in nobody's way, so its `record_key` has an ending of its own."""
        return self.record_key.partition(DRY_RUN_ENDING)[0]


@dataclass(frozen=True)
class LogEntry:
    """One line of a job's story, for people: a step, what it came to, ids. Kept in Postgres under the tenant's policy."""

    step: str
    message: str
    at: datetime
    duration_ms: float | None = None

    def as_json(self) -> dict[str, Any]:
        entry: dict[str, Any] = {"step": self.step, "message": self.message, "at": self.at.isoformat()}
        if self.duration_ms is not None:
            entry["duration_ms"] = round(self.duration_ms, 1)
        return entry


@dataclass(frozen=True)
class Completed:
    """The job is done. `result` says what was done, in ids."""

    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """This attempt failed. `permanent`: another try cannot help. `parks`: the other side is to blame, no attempt is used up.

    A job that parks on a connection (`connection_id`) is left alone while that one is disconnected, paused or parked. `was_sent` is
    False where no request left, or the vendor refused it unread: then nothing can arrive late.
    """

    reason: str
    message: str
    permanent: bool
    parks: bool = False
    retry_after: timedelta | None = None
    connection_id: UUID | None = None
    was_sent: bool = True
    system: str | None = None
    """The outside system whose call failed, where one did, and `operation`, what it was called for: in words without ids."""
    operation: str | None = None


@dataclass(frozen=True)
class Cancelled:
    """Somebody asked to stop, and the job did."""


@dataclass(frozen=True)
class Waits:
    """The job waits for an outside service, without a worker; its attempt goes on. It is looked at again in `look_after`, or at once
    when a callback comes; the next run fetches what it waited for."""

    waiting_for: str
    """What the service knows it by, as `service:id`; the sensor `waiting` knows the services."""
    look_after: timedelta


End = Completed | Failed | Cancelled | Waits


@dataclass(frozen=True)
class JobEnd:
    """What a run came to with one job."""

    job: ClaimedJob
    end: End


@dataclass(frozen=True)
class NextStep:
    """What becomes of an attempt: an end, a new try after `delay`, or (RUNNING) a next look at what it waits for."""

    status: JobStatus
    delay: timedelta
    uses_attempt: bool = True


def failure_from(error: ZixlyError, *, connection_id: UUID | None = None) -> Failed:
    """An error of ours as the failure of a job: transient and permanent are told apart here and nowhere else.

    `connection_id` is the account that was called, where it is known: a spent budget parks the job on it.
    """
    operation = operation_in_words(error.operation) if error.operation else None
    return replace(judged(error, connection_id=connection_id), system=error.system, operation=operation)


def judged(error: ZixlyError, *, connection_id: UUID | None) -> Failed:
    match error:
        case BudgetSpent():
            wait, account = error.retry_after, error.connection_id or connection_id
            return Failed(error.reason, str(error), permanent=False, parks=True, retry_after=wait, connection_id=account, was_sent=False)
        case Disconnected(connection_id=UUID() as held_by) | VendorDown(connection_id=UUID() as held_by):
            at_once = timedelta()  # once the connection is well again
            was_sent = not isinstance(error, VendorDown) or error.was_sent
            return Failed(
                error.reason, str(error), permanent=False, parks=True, retry_after=at_once, connection_id=held_by, was_sent=was_sent
            )
        case ConnectionBusy() | VendorDown():
            return Failed(error.reason, str(error), permanent=False, parks=True, retry_after=error.retry_after)
        case Transient():
            return Failed(error.reason, str(error), permanent=False, retry_after=error.retry_after)
        case Permanent():
            return Failed(error.reason, str(error), permanent=True)
        case LeaseLost():
            raise error
        case _:
            return Failed(error.reason, str(error), permanent=False)


def operation_in_words(operation: str) -> str | None:
    """What a call was for, without counts, ids and names, so that failures of one kind say the same: `read 2 invoices (8694...)` is
    `read invoices`."""
    words = [word for word in operation.partition(" (")[0].split() if PLAIN_WORD.fullmatch(word)]
    return " ".join(words)[:MAX_OPERATION] or None


def next_step(failure: Failed, *, attempts: int, max_attempts: int, base: timedelta, jitter: random.Random) -> NextStep:
    """What follows a failure of the given attempt (counted from 1): exponential backoff with jitter, never before `Retry-After`.

    The delay of attempt n lies between half and all of `base` times 2 to the n-1, so that jobs that failed together do not
    come back together.
    """
    if failure.permanent:
        return NextStep(JobStatus.FAILED, timedelta())
    if failure.parks:
        delay = base if failure.retry_after is None else failure.retry_after
        return NextStep(JobStatus.QUEUED, delay, uses_attempt=False)
    if attempts >= max_attempts:
        return NextStep(JobStatus.FAILED, timedelta())
    full = min(base * 2 ** (attempts - 1), MAX_BACKOFF)
    backoff = full * (0.5 + jitter.random() / 2)
    return NextStep(JobStatus.QUEUED, max(backoff, failure.retry_after or timedelta()))


def superseded(jobs: list[ClaimedJob]) -> dict[UUID, ClaimedJob]:
    """Jobs made needless by a newer one about the same record in the same hands: job id -> the job that does the work."""
    newest: dict[str, ClaimedJob] = {}
    for job in jobs:
        leader = newest.get(job.record_key)
        if leader is None or (job.occurred_at, job.id) > (leader.occurred_at, leader.id):
            newest[job.record_key] = job
    return {job.id: newest[job.record_key] for job in jobs if newest[job.record_key].id != job.id}
