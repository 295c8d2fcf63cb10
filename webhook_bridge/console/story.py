"""A job's story as one line of moments: when it came, waited, was tried, called, wrote, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webhook_bridge.models import Attempt, Effect, Job, RelatedRecord, Step

MADE_BY = {
    "event": "for an event",
    "backfill": "by a backfill",
    "reconciliation": "by a reconciliation",
    "replay": "as a replay",
    "follow-up": "as a follow-up of another job",
    "manual": "because somebody asked for it",
}
DID = {"READ": "Read", "UPDATE": "Updated", "CREATE": "Created"}


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `since` is the time that had gone by since the one before; `href` leads to what it is about."""

    at: datetime
    title: str
    detail: str | None = None
    tone: str = "plain"
    href: str | None = None
    took: timedelta | None = None
    since: timedelta | None = None


def story_of(job: Job) -> Sequence[Moment]:
    """All moments, the oldest first; of those at the same time, in the order in which such things happen."""
    found = sorted(moments_of(job), key=lambda one: one.at)
    before = [None, *(one.at for one in found)]
    return [after(one, earlier) for one, earlier in zip(found, before, strict=False)]


def after(one: Moment, earlier: datetime | None) -> Moment:
    since = one.at - earlier if earlier is not None else None
    return Moment(one.at, one.title, one.detail, one.tone, one.href, one.took, since)


def moments_of(job: Job) -> Iterator[Moment]:
    yield from beginning(job)
    for attempt in job.attempt_log:
        if attempt.started_at is not None:
            yield Moment(attempt.started_at, f"Attempt {attempt.attempt} began", tone="busy")
    if job.started_at is not None and not is_told(job.started_at, job.attempt_log):
        yield Moment(job.started_at, f"Attempt {job.attempts} began", tone="busy")
    yield from (step_taken(step) for step in job.steps)
    yield from (touched(record) for record in job.related_records)
    for effect in job.effects:
        yield from writing(effect)
    yield from (attempt_ended(attempt) for attempt in job.attempt_log)
    yield from ending(job)


def beginning(job: Job) -> Iterator[Moment]:
    if job.event is not None:
        yield Moment(job.event.received_at, f"Received from {job.system}", job.event.kind)
    yield Moment(job.created_at, f"Job made {MADE_BY.get(job.origin, '')}".strip(), "It waits in the queue.", tone="wait")
    if job.handed_over_at is not None:
        yield Moment(job.handed_over_at, "Handed over to a run", tone="busy")
    if job.cancel_requested_at is not None:
        yield Moment(job.cancel_requested_at, "Somebody asked to cancel it", tone="wait")


def is_told(at: datetime, attempts: Sequence[Attempt]) -> bool:
    """Whether the attempt that began then has ended, and is told by its end."""
    return any(attempt.started_at == at for attempt in attempts)


def step_taken(step: Step) -> Moment:
    took = timedelta(milliseconds=step.duration_ms) if step.duration_ms is not None else None
    return Moment(step.at, step.step.replace("_", " ").capitalize(), step.message, took=took)


def touched(record: RelatedRecord) -> Moment:
    words = f"{DID.get(record.action, record.action)} {record.record_type} at {record.system}"
    return Moment(record.at, words, record.record_id, tone="plain" if record.action == "READ" else "good", href=record.url)


def writing(effect: Effect) -> Iterator[Moment]:
    what = f"{effect.operation.replace('_', ' ')} at {effect.system}"
    if effect.done_at is None:
        yield Moment(effect.intended_at, f"Began to {what}", "Not known to be written; looked up before it is repeated.", tone="wait")
    else:
        yield Moment(effect.done_at, f"Written: {what}", effect.target, tone="good", took=effect.done_at - effect.intended_at)


def attempt_ended(attempt: Attempt) -> Moment:
    tones = {"completed": "good", "failed": "bad", "vanished": "bad", "timeout": "bad"}
    words = f"Attempt {attempt.attempt}: {attempt.outcome.replace('_', ' ')}"
    if attempt.error_reason:
        words = f"{words} ({attempt.error_reason})"
    took = attempt.ended_at - attempt.started_at if attempt.started_at is not None else None
    return Moment(attempt.ended_at, words, attempt.error_message, tones.get(attempt.outcome, "wait"), took=took)


def ending(job: Job) -> Iterator[Moment]:
    if job.completed_at is None:
        return
    tone = {"COMPLETED": "good", "FAILED": "bad"}.get(job.status, "plain")
    yield Moment(job.completed_at, f"Ended {job.status}", tone=tone, took=job.completed_at - job.created_at)
