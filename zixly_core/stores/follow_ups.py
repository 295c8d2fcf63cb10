"""Follow-up jobs: work that a job leaves for later, of low priority and from leftover budget. One per job and workflow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from uuid import uuid5

from zixly_core.job import ClaimedJob
from zixly_core.stores.claims import RunIdentity, text_of
from zixly_core.stores.database import Database
from zixly_core.stores.rows import columns_of, rows_from
from zixly_core.stores.settle import COUNTER_SHARDS, COUNTERS_SQL

COLUMNS = (
    "id uuid, tenant_id uuid, connection_id uuid, workflow_type text, system text, priority smallint, origin_job_id uuid, "
    "record_key text, record_id text, occurred_at timestamptz, trigger_data text"
)
SQL = f"""
insert into zixly.workflow_jobs (id, tenant_id, connection_id, workflow_type, system, priority, lane, origin, origin_job_id,
                                 record_key, record_id, occurred_at, trigger_data)
select id, tenant_id, connection_id, workflow_type, system, priority, 'bulk', 'follow-up', origin_job_id, record_key, record_id,
       occurred_at, trigger_data::jsonb
from {rows_from(COLUMNS)} on conflict (id) do nothing"""


def make_follow_ups(database: Database, run: RunIdentity, jobs: Sequence[ClaimedJob], *, workflow: str, system: str, priority: int) -> int:
    """A job of `workflow` after each of these; how many are new. Ids follow from the jobs', so a second call makes none."""
    rows = [
        (
            uuid5(job.id, workflow),
            job.tenant_id,
            job.connection_id,
            workflow,
            system,
            priority,
            job.id,
            f"{job.record_key}:{workflow}",
            job.record_id,
            job.occurred_at,
            text_of({"origin_job_id": str(job.id), "record_id": job.record_id}),
        )
        for job in jobs
    ]
    with database.transaction(tenant_id=run.tenant_id) as connection:
        made = connection.execute(SQL, columns_of(rows)).rowcount
        if made:
            connection.execute(COUNTERS_SQL, columns_of([("queued", workflow, "", os.getpid() % COUNTER_SHARDS, float(made))]))
    return made
