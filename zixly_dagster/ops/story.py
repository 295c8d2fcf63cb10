"""What an op shows in the Dagster UI: counts and a table of jobs by id and outcome. Never a name, an address or an amount."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from dagster import MetadataValue, OpExecutionContext, TableColumn, TableRecord, TableSchema

from zixly_core.job import ClaimedJob, LogEntry
from zixly_core.settings import settings_now

# A table longer than this is cut: Dagster keeps metadata in its event log, and a page of rows is what people read.
ROWS_SHOWN = 50
LINKS_SHOWN = 5


class Step:
    """One op at work: measures itself, and makes the log entries of the jobs it touches."""

    def __init__(self, name: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.name = name
        self._clock = clock
        self._began = perf_counter()

    def entry(self, message: str) -> LogEntry:
        """A line for a job's log, with the time the step has taken so far."""
        return LogEntry(self.name, message, at=self._clock(), duration_ms=(perf_counter() - self._began) * 1000)


def show(
    context: OpExecutionContext,
    *,
    summary: str,
    rows: Iterable[Mapping[str, str]] = (),
    links: Mapping[str, str] | None = None,
    **counts: int,
) -> None:
    """Attach the op's outcome to its page: one sentence, counts, a table, and links that lead on."""
    table = list(rows)
    metadata: dict[str, Any] = {"summary": summary, **counts}
    if table:
        metadata["jobs"] = MetadataValue.table(records=[TableRecord(dict(row)) for row in table[:ROWS_SHOWN]], schema=schema_of(table))
    if len(table) > ROWS_SHOWN:
        metadata["not shown"] = len(table) - ROWS_SHOWN
    for name, url in list((links or {}).items())[:LINKS_SHOWN]:
        metadata[name] = MetadataValue.url(url)
    context.add_output_metadata(metadata)
    context.log.info(summary)


def schema_of(rows: Sequence[Mapping[str, str]]) -> TableSchema:
    return TableSchema(columns=[TableColumn(name, "string") for name in rows[0]])


def job_links(jobs: Iterable[ClaimedJob]) -> dict[str, str]:
    """Links to the jobs' own pages at the bridge."""
    base = settings_now().bridge_public_url.rstrip("/")
    return {f"job {str(job.id)[-8:]}": f"{base}/webhook/jobs/{job.id}" for job in jobs}


def counted(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def job_row(job: ClaimedJob, outcome: str) -> dict[str, str]:
    """A job as a row: its id, the record it is about, and what came of it."""
    return {"job": str(job.id), "record": job.record_id, "attempt": str(job.attempts), "outcome": outcome}
