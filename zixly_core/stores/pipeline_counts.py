"""How the pipeline stands, in counts: read as the role that sees no payload, cheap however many jobs have ended.

Counters come from `job_counters`, whose rows only grow; gauges from the open rows, found through partial indexes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_core.stores.database import Database, Rows
from zixly_core.stores.handover import BATCH_JOBS
from zixly_core.stores.histograms import Distribution, distributions
from zixly_core.stores.ledger_balance import Balance, balance_of
from zixly_core.stores.readings import reading
from zixly_core.stores.settle import DURATION

# Workflows begin at 0: of a counter that is born with its first failure Prometheus sees no increase.
COUNTERS_SQL = """
select name, job_type, status, sum(value)::float8 as value from (
  select name, job_type, status, value from zixly.job_counters
  union all
  select begun.name, w.name, begun.status, 0 from zixly.workflows w
  cross join (values ('queued', ''), ('processed', 'completed'), ('processed', 'failed'), ('processed', 'cancelled'),
                     ('attempts', 'completed'), ('attempts', 'failed'), ('attempts', 'retry'), ('attempts', 'parked'),
                     ('attempts', 'vanished'), ('attempts', 'timeout'), ('attempts', 'cancelled'), ('attempts', 'handed_back'))
       as begun (name, status)
) counted group by name, job_type, status"""

# Why each open job is open. RUNNING jobs without a batch wait for an outside service; one that nobody has looked at for minutes
# is waited for by nobody. They are found by tenant.
OPEN_JOBS_SQL = """
with open_jobs as (
  select tenant_id, connection_id, batch_id, workflow_type, system, status, due_at, lease_until, waiting_until, parked_reason,
         wake_event_id, blocked_by
  from zixly.workflow_jobs where status = 'QUEUED' and batch_id is null
  union all
  select tenant_id, connection_id, batch_id, workflow_type, system, status, due_at, lease_until, waiting_until, parked_reason,
         wake_event_id, blocked_by
  from zixly.workflow_jobs where status in ('QUEUED', 'RUNNING') and batch_id is not null
  union all
  select j.tenant_id, j.connection_id, j.batch_id, j.workflow_type, j.system, j.status, j.due_at, j.lease_until, j.waiting_until,
         j.parked_reason, j.wake_event_id, j.blocked_by
  from zixly.tenants t join zixly.workflow_jobs j on j.tenant_id = t.id and j.status = 'RUNNING' where j.batch_id is null
), explained as (
  select j.system, j.status, j.due_at, case
    when j.status = 'RUNNING' and j.lease_until >= now() then 'running'
    when j.status = 'RUNNING' and j.lease_until is null
         and (j.wake_event_id is not null or j.waiting_until > now() - interval '2 minutes') then 'waiting'
    when j.status = 'RUNNING' then 'unaccounted'
    when j.batch_id is not null and b.id is not null and b.ended_at is null then 'handed_over'
    when j.batch_id is not null then 'unaccounted'
    when w.name is null then 'unaccounted'
    when t.paused_at is not null or c.paused_at is not null or w.paused_at is not null or j.system = any(paused.systems) then 'paused'
    when (w.needs_source and (c.status = 'DISCONNECTED' or c.parked_until > now() or r.connection_id is not null))
         or j.blocked_by is not null then 'parked'
    when j.due_at > now() and j.parked_reason is not null then 'parked'
    when j.due_at > now() then 'scheduled'
    else 'due' end as state
  from open_jobs j
  left join zixly.tenants t on t.id = j.tenant_id
  left join zixly.connections c on c.id = j.connection_id
  left join zixly.workflows w on w.name = j.workflow_type
  left join zixly.batches b on b.id = j.batch_id
  left join zixly.account_rests r on r.connection_id = j.connection_id and r.well_at is null
  cross join (select coalesce(array_agg(subject), '{}') as systems from zixly.pauses where kind = 'system') as paused
)
select system, status, state, count(*)::int as jobs, extract(epoch from now() - min(due_at))::float8 as oldest_seconds
from explained group by system, status, state"""

DEAD_SQL = "select workflow_type as job_type, count(*)::int as jobs from zixly.workflow_jobs where dead_letter group by workflow_type"
BATCHES_SQL = """
select system, lane, count(*)::int as batches from zixly.batches where ended_at is null group by system, lane"""
OLDEST_DUE_SQL = """
select extract(epoch from now() - min(due_at))::float8 as seconds
from zixly.workflow_jobs where status = 'QUEUED' and batch_id is null and due_at <= now()"""


@dataclass(frozen=True)
class Count:
    """A counter summed over its shards."""

    name: str
    job_type: str
    status: str
    value: float


@dataclass(frozen=True)
class OpenJobs:
    """Open jobs of a system that are open for the same reason."""

    system: str
    status: str
    state: str
    jobs: int
    oldest_seconds: float


@dataclass(frozen=True)
class PipelineCounts:
    """One reading."""

    counters: tuple[Count, ...]
    distributions: tuple[Distribution, ...]
    open_jobs: tuple[OpenJobs, ...]
    dead_letters: Mapping[str, int]
    open_batches: Mapping[tuple[str, str], int]
    balance: Balance


def pipeline_counts(rows: Rows) -> PipelineCounts:
    """How things stand, read as role `metrics`."""
    return PipelineCounts(
        counters=tuple(Count(**row) for row in rows.execute(COUNTERS_SQL)),
        distributions=distributions(rows, DURATION, BATCH_JOBS),
        open_jobs=tuple(OpenJobs(**row) for row in rows.execute(OPEN_JOBS_SQL)),
        dead_letters={row["job_type"]: row["jobs"] for row in rows.execute(DEAD_SQL)},
        open_batches={(row["system"], row["lane"]): row["batches"] for row in rows.execute(BATCHES_SQL)},
        balance=balance_of(rows),
    )


def unaccounted_jobs(database: Database) -> int:
    """How many open jobs nobody has in hand although they wait for nothing, read as role `metrics`. Raises `StoreUnavailable`."""
    with reading(database) as connection:
        return sum(int(row["jobs"]) for row in connection.execute(OPEN_JOBS_SQL) if row["state"] == "unaccounted")


def oldest_due_seconds(database: Database) -> float:
    """How long ago the oldest waiting job became due, paused ones included; 0 when none waits. Raises `StoreUnavailable`."""
    with reading(database) as connection:
        return seconds_of(connection)


def seconds_of(connection: Rows) -> float:
    row = connection.execute(OLDEST_DUE_SQL).fetchone()
    return max(row["seconds"] or 0.0, 0.0) if row else 0.0
