"""The words about replays: jobs that ended and are done anew, each as a new job that leads back to its origin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID, uuid5

import orjson

from zixly_core.errors import Rejected
from zixly_core.job import JobStatus

# One replay makes at most so many jobs: they are written in one transaction. A second one goes on with those that are left.
MAX_JOBS = 10_000
DEFAULT_RATE_PER_MINUTE = 600
MAX_RATE_PER_MINUTE = 60_000
# What the record keys of edited requests end in, before a digest of the payload: another payload is another request.
EDITED_ENDING = ":edited:"

EndedStatus = Literal["COMPLETED", "FAILED", "CANCELLED"]
ENDED: tuple[EndedStatus, ...] = ("COMPLETED", "FAILED", "CANCELLED")


class NotReplayable(Rejected):
    """What was asked for cannot be replayed; the message says why and what there is instead."""

    default_reason = "not_replayable"


class ReplayMode(StrEnum):
    """Where the new jobs begin: after the last step that their origins kept, from the first one, or with another payload."""

    CHECKPOINT = "CHECKPOINT"
    START = "START"
    EDITED = "EDITED"


class ReplayStatus(StrEnum):
    """Where a replay stands. A stopped one may have jobs that are still ending."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    DONE = "DONE"


@dataclass(frozen=True)
class JobChoice:
    """Which of a tenant's jobs are meant; None leaves a question open. Jobs that are under way and dry runs never are."""

    job_ids: Sequence[UUID] | None = None
    workflow: str | None = None
    status: EndedStatus | None = None
    reason: str | None = None
    """The class of the error that a failed job ended with."""
    since: datetime | None = None
    """Made then or later."""
    until: datetime | None = None
    issue_id: UUID | None = None
    search_id: UUID | None = None
    """A kept search: the jobs of the events that it found."""

    @property
    def names_one(self) -> bool:
        """Somebody points at one job: it is done at once, and also when an earlier replay did it already."""
        return self.job_ids is not None and len(self.job_ids) == 1

    def as_json(self) -> dict[str, Any]:
        """For the audit log and the replay's row: ids, moments and words of ours. Many ids are told as their number."""
        ids = self.job_ids
        told: dict[str, Any] = {
            "job": str(ids[0]) if ids is not None and len(ids) == 1 else None,
            "jobs": len(ids) if ids is not None and len(ids) != 1 else None,
            "workflow": self.workflow,
            "status": self.status,
            "reason": self.reason,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "issue": str(self.issue_id) if self.issue_id else None,
            "search": str(self.search_id) if self.search_id else None,
        }
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True)
class WantedReplay:
    """A replay that somebody asks for. The same `id` again makes nothing twice."""

    id: UUID
    tenant_id: UUID
    choice: JobChoice
    mode: ReplayMode = ReplayMode.CHECKPOINT
    is_dry_run: bool = False
    rate_per_minute: int | None = None
    """How many of its jobs become due a minute; None for all at once."""
    limit: int = MAX_JOBS
    payload: Mapping[str, Any] | None = field(default=None, repr=False)
    """Of an EDITED one: what the job is told instead of what its event said."""

    @property
    def ending(self) -> str:
        """What record keys of its jobs get: the same edit of the same job is the same request, and is carried out once."""
        if self.payload is None:
            return ""
        digest = hashlib.sha256(orjson.dumps(dict(self.payload), option=orjson.OPT_SORT_KEYS)).hexdigest()
        return f"{EDITED_ENDING}{digest[:16]}"

    def job_id_for(self, origin: UUID) -> UUID:
        return uuid5(self.id, str(origin))

    def due_in(self, position: int) -> timedelta:
        """When the job at this place, counted from 0, becomes due: the rate is kept by due times alone."""
        return timedelta(minutes=position / self.rate_per_minute) if self.rate_per_minute else timedelta()


@dataclass(frozen=True)
class Progress:
    """How far a replay is: its jobs by status, when the first one began, and when the last one becomes due."""

    counts: Mapping[JobStatus, int]
    is_stopped: bool = False
    first_begun_at: datetime | None = None
    last_due_at: datetime | None = None

    @property
    def open(self) -> int:
        return self.counts.get(JobStatus.QUEUED, 0) + self.counts.get(JobStatus.RUNNING, 0)

    @property
    def ended(self) -> int:
        """Jobs that somebody worked on to an end."""
        return self.counts.get(JobStatus.COMPLETED, 0) + self.counts.get(JobStatus.FAILED, 0)

    @property
    def status(self) -> ReplayStatus:
        if self.is_stopped:
            return ReplayStatus.STOPPED
        return ReplayStatus.RUNNING if self.open else ReplayStatus.DONE

    def remaining_seconds(self, now: datetime) -> float | None:
        """How long until the last job ends, at the pace so far and not before that job is due; None while there is no pace."""
        if not self.open:
            return 0.0
        until_due = (self.last_due_at - now).total_seconds() if self.last_due_at else 0.0
        if self.first_begun_at is None or not self.ended:
            return until_due if until_due > 0 else None
        pace = self.ended / max((now - self.first_begun_at).total_seconds(), 1.0)
        return max(self.open / pace, until_due)
