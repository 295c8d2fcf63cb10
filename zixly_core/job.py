"""The words about a job: its status, what a try at it came to, and when the next try is due."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from zixly_core.errors import BudgetSpent, LeaseLost, Permanent, Transient, ZixlyError

MAX_BACKOFF = timedelta(minutes=10)

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
    """This attempt failed. `permanent`: another try cannot help. `parks`: the other side is to blame, no attempt is used up."""

    reason: str
    message: str
    permanent: bool
    parks: bool = False
    retry_after: timedelta | None = None


@dataclass(frozen=True)
class Cancelled:
    """Somebody asked to stop, and the job did."""


End = Completed | Failed | Cancelled


@dataclass(frozen=True)
class JobEnd:
    """What a run came to with one job."""

    job: ClaimedJob
    end: End


@dataclass(frozen=True)
class NextStep:
    """What becomes of a failed attempt: an end, or a new try after `delay`."""

    status: JobStatus
    delay: timedelta
    uses_attempt: bool = True


def failure_from(error: ZixlyError) -> Failed:
    """An error of ours as the failure of a job: transient and permanent are told apart here and nowhere else."""
    match error:
        case BudgetSpent():
            return Failed(error.reason, str(error), permanent=False, parks=True, retry_after=error.retry_after)
        case Transient():
            return Failed(error.reason, str(error), permanent=False, retry_after=error.retry_after)
        case Permanent():
            return Failed(error.reason, str(error), permanent=True)
        case LeaseLost():
            raise error
        case _:
            return Failed(error.reason, str(error), permanent=False)


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
