"""What became of the jobs a run held: for its last op, its report, and whoever looks at the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zixly_core.stores.claims import RunIdentity
from zixly_core.stores.database import Database

ENDED_SQL = """
select j.id, j.status, j.workflow_type, j.record_id, j.attempts, j.result, j.error_reason, j.error_message, j.due_at,
       j.checkpoint, j.connection_id
from zixly.workflow_jobs j where j.last_run_id = %s order by j.occurred_at, j.id"""


def ended_jobs(database: Database, run: RunIdentity) -> list[Mapping[str, Any]]:
    """The jobs whose latest run this is, as they stand now: ended, waiting for another try, or still in hand."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        return list(connection.execute(ENDED_SQL, (run.run_id,)))
