"""Causes: what failures have in common, so that ten thousand of one kind are one thing to mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, order=True)
class Cause:
    """Who was asked for what, and how that fails. `account` is the connection where the failure is about one account, else empty."""

    tenant_id: UUID
    system: str
    operation: str
    reason: str
    account: str

    @property
    def connection_id(self) -> UUID | None:
        return UUID(self.account) if self.account else None


@dataclass(frozen=True)
class DeadLetter:
    """A job that ended FAILED, with what is known of the call that failed: nothing where no outside system was to blame."""

    id: UUID
    tenant_id: UUID
    connection_id: UUID
    system: str
    workflow: str
    reason: str | None
    failed_system: str | None
    failed_operation: str | None
    ended_at: datetime


@dataclass(frozen=True)
class Failures:
    """Dead letters of one cause."""

    cause: Cause
    title: str
    jobs: Sequence[DeadLetter]

    @property
    def first_at(self) -> datetime:
        return min(job.ended_at for job in self.jobs)

    @property
    def last_at(self) -> datetime:
        return max(job.ended_at for job in self.jobs)


def failures_by_cause(dead: Sequence[DeadLetter]) -> list[Failures]:
    """The dead letters grouped, in the order of their causes: whoever writes them locks in the same order."""
    groups: dict[Cause, list[DeadLetter]] = {}
    for job in dead:
        groups.setdefault(cause_of(job), []).append(job)
    return [Failures(cause, title_of(jobs[0]), jobs) for cause, jobs in sorted(groups.items())]


def cause_of(job: DeadLetter) -> Cause:
    """A failed call is told by its system and what it was for, however many workflows make it; without one the workflow is the place
    to look. Of the accounts only the job's own is known."""
    is_own_account = job.failed_system == job.system
    return Cause(
        tenant_id=job.tenant_id,
        system=job.failed_system or job.system,
        operation=job.failed_operation or job.workflow,
        reason=job.reason or "unknown",
        account=str(job.connection_id) if is_own_account else "",
    )


def title_of(job: DeadLetter) -> str:
    """The cause as a sentence, in words of ours alone."""
    reason = (job.reason or "unknown").replace("_", " ")
    if job.failed_system is None:
        return f"Jobs of {job.workflow} fail: {reason}."
    return f"Jobs fail when {job.failed_system} is asked to {job.failed_operation or 'do something for ' + job.workflow}: {reason}."
