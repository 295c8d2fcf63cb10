"""Follow-up jobs: work that a job leaves to others, such as a document for later, or invoices that a credit note touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from zixly_core.job import ClaimedJob
from zixly_core.job_spans import tell_made
from zixly_core.stores.claims import RunIdentity, text_of
from zixly_core.stores.database import Database
from zixly_core.stores.histograms import COUNTER_SHARDS
from zixly_core.stores.rows import columns_of, rows_from
from zixly_core.stores.settle import COUNTERS_SQL

COLUMNS = (
    "id uuid, tenant_id uuid, connection_id uuid, workflow_type text, system text, priority smallint, lane text, origin_job_id uuid, "
    "record_key text, record_id text, occurred_at timestamptz, trigger_data text, trace_id uuid"
)
SQL = f"""
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, priority, lane, origin, origin_job_id,
                                 record_key, record_id, occurred_at, trigger_data, trace_id)
select id, tenant_id, connection_id, workflow_type, system, coalesce(zixly.chosen_priority(tenant_id, workflow_type), priority), lane,
       'follow-up', origin_job_id, record_key, record_id, occurred_at, trigger_data::jsonb, trace_id
from {rows_from(COLUMNS)} on conflict (id) do nothing returning id"""


@dataclass(frozen=True)
class FollowUp:
    """A job to be made after another one. `name` tells several after one job apart."""

    after: ClaimedJob
    name: str
    record_key: str
    record_id: str
    occurred_at: datetime

    @property
    def id(self) -> UUID:
        """Follows from the other job's id, so a second call makes no second job."""
        return uuid5(self.after.id, self.name)


def make_follow_ups(database: Database, run: RunIdentity, jobs: Sequence[ClaimedJob], *, workflow: str, system: str, priority: int) -> int:
    """A job of `workflow` about the same record after each of these, in the bulk lane; how many are new."""
    follow_ups = [FollowUp(job, workflow, f"{job.record_key}:{workflow}", job.record_id, job.occurred_at) for job in jobs]
    return make_jobs_after(database, run, follow_ups, workflow=workflow, system=system, priority=priority, lane="bulk")


def make_jobs_after(
    database: Database, run: RunIdentity, follow_ups: Sequence[FollowUp], *, workflow: str, system: str, priority: int, lane: str
) -> int:
    """The jobs, each once; how many are new."""
    if not follow_ups:
        return 0
    rows = [
        (
            one.id,
            one.after.tenant_id,
            one.after.connection_id,
            workflow,
            system,
            priority,
            lane,
            one.after.id,
            one.record_key,
            one.record_id,
            one.occurred_at,
            text_of({"origin_job_id": str(one.after.id), "record_id": one.record_id}),
            one.after.trace.trace_id,
        )
        for one in follow_ups
    ]
    with database.transaction(tenant_id=run.tenant_id) as connection:
        made = {row["id"] for row in connection.execute(SQL, columns_of(rows))}
        if made:
            connection.execute(COUNTERS_SQL, columns_of([("queued", workflow, "", os.getpid() % COUNTER_SHARDS, float(len(made)))]))
    for one in follow_ups:
        if one.id in made:
            tell_made(one.id, workflow=workflow, because_of=one.after.trace)
    return len(made)
