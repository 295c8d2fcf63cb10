"""What became of the deliveries, read from Postgres: the jobs from our ledger, the runs from Dagster's own table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from benchmarks.errors import NotMeasured
from benchmarks.figures import Span

# Often enough to see the end, seldom enough not to be felt. No figure depends on when we look.
LOOK_SECONDS = 0.5
# How long a run may take to end after its job.
RUN_END_SECONDS = 30.0
OPEN_STATUSES = frozenset({"QUEUED", "RUNNING"})

JOBS_SQL = """
select e.record_id as invoice, j.status, j.attempts, coalesce(j.run_id, j.last_run_id) as run_id,
  extract(epoch from j.first_op_at)::float8 as first_op, extract(epoch from j.completed_at)::float8 as completed
from zixly.events e join zixly.workflow_jobs j on j.event_id = e.id
where e.record_id = any(%s)"""

# Dagster keeps its own times of a run: creation as a timestamp in UTC, the end in seconds since 1970.
RUNS_SQL = """
select extract(epoch from create_timestamp at time zone 'UTC')::float8 as created, end_time::float8 as ended
from runs where run_id = any(%s) and end_time is not null"""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class JobRow:
    """A job and its times in seconds since 1970; None for what has not happened."""

    invoice: str
    status: str
    attempts: int
    run_id: str | None
    first_op: float | None
    completed: float | None

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


def ended_jobs(owner_url: str, invoices: Sequence[str], *, patience_seconds: float, progress: Progress) -> list[JobRow]:
    """The jobs of these invoices when all have ended, or as they stand when the patience is over."""
    deadline = time.monotonic() + patience_seconds
    with psycopg.connect(owner_url, autocommit=True) as connection, connection.cursor(row_factory=class_row(JobRow)) as cursor:
        while True:
            jobs = cursor.execute(JOBS_SQL, (list(invoices),)).fetchall()
            ended = sum(not job.is_open for job in jobs)
            progress(ended)
            if ended >= len(invoices) or time.monotonic() > deadline:
                return jobs
            time.sleep(LOOK_SECONDS)


def refuse_unfinished(jobs: Sequence[JobRow], *, expected: int) -> None:
    """Raises `NotMeasured` unless each delivery became one job that is COMPLETED: a rate of failures is no rate."""
    completed = sum(job.status == "COMPLETED" for job in jobs)
    if len(jobs) != expected or completed != expected:
        raise NotMeasured(f"Of {expected} deliveries {len(jobs)} became jobs and {completed} of these are COMPLETED")


def spans_of(dagster_url: str, jobs: Sequence[JobRow]) -> list[Span]:
    """The ended runs of these jobs; a run ends a moment after its job. Raises `NotMeasured` unless each job had a run of its own."""
    run_ids = {job.run_id for job in jobs if job.run_id}
    deadline = time.monotonic() + RUN_END_SECONDS
    with psycopg.connect(dagster_url, autocommit=True) as connection, connection.cursor(row_factory=class_row(Span)) as cursor:
        while len(spans := cursor.execute(RUNS_SQL, (list(run_ids),)).fetchall()) < len(run_ids) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
    if len(spans) != len(jobs):
        raise NotMeasured(f"{len(jobs)} jobs had {len(run_ids)} runs, {len(spans)} of which have ended; one run for each was wanted")
    return spans
