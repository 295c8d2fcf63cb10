"""Release: what a run still holds when it ends without having settled it, because it was stopped or its code broke."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from zixly_core.job import Cancelled, ClaimedJob, End, Failed, JobEnd
from zixly_core.stores.claims import CLAIMED_COLUMNS, RunIdentity
from zixly_core.stores.database import Database
from zixly_core.stores.settle import HANDED_BACK, RetryPolicy, Settled, settle

# What the run holds, lapsed or not: `settle` checks the lease again.
LEFT_SQL = f"""
select {CLAIMED_COLUMNS}
from zixly.workflow_jobs where batch_id = %s and run_id = %s and status = 'RUNNING'"""

GIVEN_BACK = Failed(
    reason=HANDED_BACK,
    message="The run ended before it was done with the job, and gave it back.",
    permanent=False,
    parks=True,
    retry_after=timedelta(),
)
BROKE = Failed(
    reason="unexpected_error", message="The run ended on an unexpected error; its page in Dagster has the story.", permanent=False
)


def release_run(database: Database, run: RunIdentity, *, interrupted: bool, policy: RetryPolicy, jitter: random.Random) -> Settled | None:
    """Settle whatever the run still holds: cancelled where that was asked for, given back when the run was interrupted (which
    uses up no attempt), a failed attempt otherwise. None when nothing was left."""
    with database.transaction(tenant_id=run.tenant_id) as connection:
        rows: Sequence[dict[str, Any]] = list(connection.execute(LEFT_SQL, (run.batch_id, run.run_id)))
    left = [ClaimedJob(**row) for row in rows]
    if not left:
        return None
    ends = [JobEnd(job, end_of(job, interrupted=interrupted)) for job in left]
    return settle(database, run, ends, policy=policy, jitter=jitter)


def end_of(job: ClaimedJob, *, interrupted: bool) -> End:
    if job.cancel_requested:
        return Cancelled()
    return GIVEN_BACK if interrupted else BROKE
