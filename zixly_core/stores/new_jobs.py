"""Jobs that the platform makes by itself or at a person's wish, many at once: by replays, backfills, reconciliations, recoveries."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from zixly_core.ids import new_id
from zixly_core.job_spans import tell_made
from zixly_core.stores.claims import text_of
from zixly_core.stores.database import Rows
from zixly_core.stores.histograms import COUNTER_SHARDS
from zixly_core.stores.rows import columns_of, rows_from
from zixly_core.stores.settle import COUNTERS_SQL
from zixly_core.trace_context import TraceContext, span_of

Origin = Literal["backfill", "reconciliation", "replay", "manual"]
JobLane = Literal["live", "bulk"]

COLUMNS = (
    "id uuid, tenant_id uuid, connection_id uuid, event_id uuid, workflow_type text, system text, priority smallint, lane text, "
    "origin text, origin_job_id uuid, made_by uuid, record_key text, record_id text, occurred_at timestamptz, trigger_data text, "
    "checkpoint text, due_in interval"
)
# A job that waits to be handed over will read the record as it is then: another one of the same workflow would find nothing to do.
INSERT_SQL = f"""
insert into zixly.workflow_jobs (id, tenant_id, connection_id, event_id, workflow_type, system, priority, lane, origin, origin_job_id,
                                 made_by, record_key, record_id, occurred_at, trigger_data, checkpoint, due_at)
select t.id, t.tenant_id, t.connection_id, t.event_id, t.workflow_type, t.system, t.priority, t.lane, t.origin, t.origin_job_id, t.made_by,
       t.record_key, t.record_id, t.occurred_at, t.trigger_data::jsonb, t.checkpoint::jsonb, now() + t.due_in
from {rows_from(COLUMNS)}
where not %s or not exists (
  select from zixly.workflow_jobs o
  where o.tenant_id = t.tenant_id and o.record_key = t.record_key and o.workflow_type = t.workflow_type
    and o.status = 'QUEUED' and o.batch_id is null)
on conflict (id) do nothing
returning id, workflow_type, system"""


@dataclass(frozen=True)
class JobToMake:
    """A job that is to be made. An `id` derived from what it is for (`uuid5`) makes asking twice harmless."""

    tenant_id: UUID
    connection_id: UUID
    workflow: str
    system: str
    record_key: str
    record_id: str
    occurred_at: datetime
    origin: Origin
    made_by: UUID | None
    """The replay, backfill, reconciliation or recovery that it belongs to."""
    trigger: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """`record_id` is put in where it is missing; `dry_run` true makes a job that only tells."""
    checkpoint: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What an earlier job had done already, where this one is to go on from there."""
    lane: JobLane = "bulk"
    priority: int = 1
    origin_job_id: UUID | None = None
    event_id: UUID | None = None
    due_in: timedelta = timedelta()
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True)
class MadeJobs:
    """What was written: the ids of the new jobs by system, whose queues are to be told after the commit."""

    by_system: Mapping[str, Sequence[UUID]]

    @property
    def count(self) -> int:
        return sum(map(len, self.by_system.values()))


def make_jobs(connection: Rows, jobs: Sequence[JobToMake], *, unless_waiting: bool = False) -> MadeJobs:
    """Write the jobs that are not there yet, and count them as queued. With `unless_waiting`, none for a record about which a job of
    the same workflow waits already. As role `api` or `runs`, within what the transaction may see."""
    if not jobs:
        return MadeJobs({})
    return note_made(connection, list(connection.execute(INSERT_SQL, [*columns_of([row_of(job) for job in jobs]), unless_waiting])))


def note_made(connection: Rows, rows: Sequence[Mapping[str, Any]]) -> MadeJobs:
    """Count jobs that were written (id, workflow_type, system) as queued. Each begins a trace, which leads to that of its origin where
    it has one (origin_job_id, origin_trace)."""
    for row in rows:
        origin = [TraceContext(row["origin_trace"], span_of(row["origin_job_id"]))] if row.get("origin_trace") else []
        tell_made(row["id"], workflow=row["workflow_type"], links=origin)
    by_workflow = Counter(str(row["workflow_type"]) for row in rows)
    if by_workflow:
        shard = os.getpid() % COUNTER_SHARDS
        counts = [("queued", workflow, "", shard, float(count)) for workflow, count in sorted(by_workflow.items())]
        connection.execute(COUNTERS_SQL, columns_of(counts))
    by_system: dict[str, list[UUID]] = {}
    for row in rows:
        by_system.setdefault(row["system"], []).append(row["id"])
    return MadeJobs(by_system)


def row_of(job: JobToMake) -> tuple[Any, ...]:
    return (
        job.id,
        job.tenant_id,
        job.connection_id,
        job.event_id,
        job.workflow,
        job.system,
        job.priority,
        job.lane,
        job.origin,
        job.origin_job_id,
        job.made_by,
        job.record_key,
        job.record_id,
        job.occurred_at,
        text_of({"record_id": job.record_id, **job.trigger}),
        text_of(dict(job.checkpoint)),
        job.due_in,
    )
