"""Whether a run is alive: told by the lease of the jobs it holds."""

from __future__ import annotations

from enum import StrEnum

from zixly_core.stores.database import Database
from zixly_core.stores.handover import one

LEASE_SQL = """
select count(*) as held, count(*) filter (where lease_until > now()) as live
from zixly.workflow_jobs where run_id = %s and status = 'RUNNING' and batch_id is not null"""


class Lease(StrEnum):
    """How a run stands: it renews its lease, it stopped doing so, or it holds no job (not yet, or no more)."""

    LIVE = "live"
    LAPSED = "lapsed"
    NONE = "none"


def lease_of_run(database: Database, run_id: str) -> Lease:
    """The lease of the run's jobs, as the role that dispatches."""
    with database.transaction() as connection:
        row = one(connection, LEASE_SQL, (run_id,))
    if not row["held"]:
        return Lease.NONE
    return Lease.LIVE if row["live"] else Lease.LAPSED
