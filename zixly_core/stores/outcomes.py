"""What became of the jobs a run held: for its last op, its report, and whoever looks at the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.database import Database

ENDED_SQL = """
select id, status, record_id, error_reason, error_message from zixly.workflow_jobs where last_run_id = %s order by occurred_at, id"""
# Of a checkpoint only what the job came to: the rest is most of the row.
BATCH_SQL = """
select id, status, workflow_type, record_id, attempts, result, error_reason, last_run_id as run_id, checkpoint -> 'result' as came_to
from zixly.workflow_jobs where last_run_id = %s or batch_id = %s order by occurred_at, id"""


def ended_jobs(database: Database, run: RunIdentity) -> list[Mapping[str, Any]]:
    """The jobs whose latest run this is, as they stand now: ended, waiting for another try, or still in hand."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        return list(connection.execute(ENDED_SQL, (run.run_id,)))


def jobs_of_batch(database: Database, run: RunIdentity) -> list[Mapping[str, Any]]:
    """The jobs of the run's batch, and those that it held and that left the batch to wait for another try."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        return list(connection.execute(BATCH_SQL, (run.run_id, run.batch_id)))
