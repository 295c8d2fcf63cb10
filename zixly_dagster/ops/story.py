"""What an op shows in the Dagster UI: counts and a table of jobs by id and outcome. Never a name, an address or an amount."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from time import perf_counter
from typing import Any, TypeVar
from uuid import UUID

from dagster import MetadataValue, OpExecutionContext, TableColumn, TableRecord, TableSchema

from zixly_core.job import ClaimedJob, LogEntry
from zixly_core.record_links import url_of_key
from zixly_core.settings import settings_now

# A table longer than this is cut: Dagster keeps metadata in its event log, the job pages have all of them, and to write fifty rows for each
# op was a tenth of a full batch's work.
ROWS_SHOWN = 20
LINKS_SHOWN = 6

T = TypeVar("T")


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
    links: Mapping[str, str | None] | None = None,
    **counts: int,
) -> None:
    """Attach the op's outcome to its page: one sentence, links that lead on, counts that are not zero, and a table."""
    metadata: dict[str, Any] = {"summary": summary, **link_values(links or {})}
    metadata |= {name: count for name, count in counts.items() if count}
    context.add_output_metadata(metadata | table_values(list(rows)))
    context.log.info(summary)


def link_values(links: Mapping[str, str | None]) -> dict[str, MetadataValue]:
    """The first few links; cells of tables cannot be any."""
    return {name: MetadataValue.url(url) for name, url in list(links.items())[:LINKS_SHOWN] if url}


def table_values(rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """A table of jobs, cut where nobody would read on."""
    if not rows:
        return {}
    table = MetadataValue.table(records=[TableRecord(dict(row)) for row in rows[:ROWS_SHOWN]], schema=schema_of(rows))
    return {"jobs": table} if len(rows) <= ROWS_SHOWN else {"jobs": table, "not shown": len(rows) - ROWS_SHOWN}


def schema_of(rows: Sequence[Mapping[str, str]]) -> TableSchema:
    return TableSchema(columns=[TableColumn(name, "string") for name in rows[0]])


def first_few(records: Iterable[T]) -> Iterator[T]:
    """Those of a step's records that are linked to: addresses that nobody is shown are not made."""
    return islice(records, LINKS_SHOWN)


def job_links(ids: Iterable[UUID]) -> dict[str, str]:
    """Links to the jobs' own pages in the console: of the first few."""
    base = settings_now().bridge_public_url.rstrip("/")
    return {f"job {str(one)[-8:]}": f"{base}/console/jobs/{one}" for one in first_few(ids)}


def work_links(jobs: Iterable[ClaimedJob]) -> dict[str, str | None]:
    """Links to jobs, each with its record at the vendor."""
    links: dict[str, str | None] = {}
    for job in first_few(jobs):
        links |= job_links([job.id])
        links[f"record {job.record_id[-8:]}"] = url_of_key(job.record_key)
    return links


def counted(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def job_row(job: ClaimedJob, outcome: str) -> dict[str, str]:
    """A job as a row: its id, the record it is about, and what came of it."""
    return {"job": str(job.id), "record": job.record_id, "attempt": str(job.attempts), "outcome": outcome}
