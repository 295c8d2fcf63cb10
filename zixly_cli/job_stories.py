"""What became of each delivery, as Postgres tells it: delivery, event, job, run, attempts, records, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.rows import class_row
from rich.table import Table

STORIES = """
select d.id as delivery_id, d.received_at, d.verdict, d.status as http_status, e.kind, e.record_id, e.outcome,
  j.id as job_id, j.workflow_type as workflow, j.status as job_status, coalesce(j.run_id, j.last_run_id) as run_id, j.attempts,
  j.error_message, j.result ->> 'superseded_by' as superseded_by,
  (select count(*) from zixly.workflow_related_records r where r.job_id = j.id and r.action = 'READ') as records_read,
  (select count(*) from zixly.workflow_related_records r where r.job_id = j.id and r.action <> 'READ') as records_written,
  extract(epoch from j.first_op_at - d.received_at) * 1000 as first_op_ms,
  extract(epoch from j.completed_at - d.received_at) * 1000 as completed_ms
from zixly.deliveries d
left join zixly.events e on e.delivery_id = d.id
left join zixly.workflow_jobs j on j.event_id = e.id
where d.received_at >= %s
order by d.received_at, d.id, e.id, j.id
"""
OPEN_STATUSES = frozenset({"QUEUED", "RUNNING"})


@dataclass(frozen=True)
class JobStory:
    """One row: a delivery without events, an event without jobs, or a job. Times in milliseconds from the receipt."""

    delivery_id: UUID
    received_at: datetime
    verdict: str
    http_status: int
    kind: str | None
    record_id: str | None
    outcome: str | None
    job_id: UUID | None
    workflow: str | None
    job_status: str | None
    run_id: str | None
    attempts: int | None
    error_message: str | None
    superseded_by: str | None
    records_read: int
    records_written: int
    first_op_ms: float | None
    completed_ms: float | None

    @property
    def is_open(self) -> bool:
        return self.job_status in OPEN_STATUSES


def stories_since(owner_url: str, since: datetime) -> list[JobStory]:
    """Everything that was received since then, as the owner of the tables sees it: of all tenants."""
    with psycopg.connect(owner_url) as connection, connection.cursor(row_factory=class_row(JobStory)) as cursor:
        return cursor.execute(STORIES, (since,)).fetchall()


def story_table(stories: list[JobStory]) -> Table:
    """One line for each. Ids are shortened to their last characters, which differ most."""
    table = Table(title="What happened (from Postgres)", title_justify="left")
    for column in ("delivery", "event", "job", "run"):
        table.add_column(column, overflow="fold")
    for column in ("tries", "read", "written", "to first op", "to end"):
        table.add_column(column, justify="right", no_wrap=True)
    for story in stories:
        table.add_row(
            f"…{short(story.delivery_id)} {story.verdict} {story.http_status}",
            "" if story.kind is None else f"{story.kind} …{short(story.record_id)}",
            job_cell(story),
            "" if story.run_id is None else story.run_id[:8],
            "" if story.attempts is None else str(story.attempts),
            "" if story.job_id is None else str(story.records_read),
            "" if story.job_id is None else str(story.records_written),
            milliseconds(story.first_op_ms),
            milliseconds(story.completed_ms),
        )
    return table


def job_cell(story: JobStory) -> str:
    if story.job_id is None:
        return "" if story.outcome is None else f"none: {story.outcome}"
    colour = {"COMPLETED": "green", "FAILED": "red"}.get(story.job_status or "", "yellow")
    note = " (by a newer)" if story.superseded_by else ""
    return f"…{short(story.job_id)} [{colour}]{story.job_status}[/]{note}"


def short(identifier: object) -> str:
    return str(identifier)[-6:]


def milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:.0f} ms"
