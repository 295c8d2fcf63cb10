"""How ops call vendors for many jobs at once: one call's failure is the failure of its own jobs and of no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from zixly_core.errors import BudgetSpent, LeaseLost, ZixlyError
from zixly_core.job import ClaimedJob, JobEnd, failure_from
from zixly_core.stores.claims import Progress
from zixly_core.stores.settle import park_connection
from zixly_dagster.ops.story import Step
from zixly_dagster.resources.batch import BatchWork

T = TypeVar("T")

# A limit of a day is waited out by parking the connection; a limit of a minute by the jobs' own delay.
PARK_FROM = timedelta(minutes=2)


def in_calls(
    work: BatchWork, connection_id: UUID, jobs: Sequence[ClaimedJob], *, size: int, call: Callable[[Sequence[ClaimedJob]], T]
) -> tuple[list[T], list[JobEnd]]:
    """`call` a connection for each group of at most `size` jobs; the answers, and the failed jobs as ends to settle."""
    answers: list[T] = []
    ends: list[JobEnd] = []
    for start in range(0, len(jobs), size):
        group = jobs[start : start + size]
        try:
            answers.append(call(group))
        except LeaseLost:
            raise
        except ZixlyError as error:
            ends += [JobEnd(job, failure_from(error, connection_id=connection_id)) for job in group]
            note_budget(work, connection_id, error)
    return answers, ends


def end_all(work: BatchWork, jobs: Sequence[ClaimedJob], error: ZixlyError, *, step: Step) -> None:
    """End an attempt of all these jobs for what is wrong with all of them, such as a setting of their connection."""
    failure = failure_from(error)
    learned = [Progress(job, entries=[step.entry(failure.message)]) for job in jobs]
    work.settle([JobEnd(job, failure) for job in jobs], learned=learned)


@contextmanager
def calling(work: BatchWork, connection_id: UUID) -> Iterator[None]:
    """Calls of one account for many jobs at once: a spent budget is noted against that account and told with its name."""
    try:
        yield
    except BudgetSpent as error:
        note_budget(work, connection_id, error)
        error.connection_id = connection_id
        raise


def note_budget(work: BatchWork, connection_id: UUID, error: ZixlyError) -> None:
    """A spent day's budget parks the connection that was called: its jobs wait, stated as parked. What is only kept from bulk work
    parks nothing: live work goes on."""
    if isinstance(error, BudgetSpent) and not error.only_bulk and error.retry_after is not None and error.retry_after >= PARK_FROM:
        park_connection(work.database, work.run, connection_id, until=error.retry_after, reason=error.reason)
