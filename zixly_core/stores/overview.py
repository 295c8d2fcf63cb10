"""How everything stands, for a person: read as role `api`, so that somebody of a tenant gets his tenant's figures.

Open jobs are counted as for metrics, through partial indexes; jobs that ended, for the last day only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from zixly_core.stores.database import Rows
from zixly_core.stores.pipeline_counts import OPEN_JOBS_SQL, OpenJobs

HOURS = 24
ENDED_SQL = f"""
select date_trunc('hour', completed_at, 'UTC') as hour, system,
  (count(*) filter (where status = 'COMPLETED'))::int as completed, (count(*) filter (where status = 'FAILED'))::int as failed
from zixly.workflow_jobs
where completed_at >= date_trunc('hour', now(), 'UTC') - interval '{HOURS - 1} hours' and status in ('COMPLETED', 'FAILED')
group by 1, 2"""
AMISS_SQL = """
select
  (select count(*) from zixly.workflow_jobs where dead_letter)::int as dead_letters,
  (select count(*) from zixly.issues where status = 'OPEN')::int as open_issues,
  (select count(*) from zixly.connections where status = 'DISCONNECTED')::int as disconnected,
  (select count(*) from zixly.connections where status = 'ACTIVE' and watch_state in ('lost', 'silent', 'failing'))::int as unheard,
  (select count(*) from zixly.holes where status = 'OPEN')::int as holes,
  (select count(*) from zixly.account_rests where well_at is null)::int as resting,
  (select count(*) from zixly.pauses where source = 'person')::int as paused,
  (select count(*) from zixly.pauses where source = 'switch')::int as switched_off"""


@dataclass(frozen=True)
class EndedInHour:
    """Jobs of a system that ended within an hour."""

    hour: datetime
    system: str
    completed: int
    failed: int


@dataclass(frozen=True)
class Amiss:
    """How much there is of each thing that somebody should look at."""

    dead_letters: int
    open_issues: int
    disconnected: int
    unheard: int
    """Accounts whose webhooks are lost, silent or failing."""
    holes: int
    """Times in which webhooks may have been missed."""
    resting: int
    paused: int
    switched_off: int
    """Systems whose sensor is switched off."""


@dataclass(frozen=True)
class Overview:
    open_jobs: Sequence[OpenJobs]
    ended: Sequence[EndedInHour]
    amiss: Amiss


def overview(rows: Rows) -> Overview:
    """As the scope of the transaction allows."""
    with rows.cursor(row_factory=class_row(OpenJobs)) as cursor:
        open_jobs = cursor.execute(OPEN_JOBS_SQL).fetchall()
    with rows.cursor(row_factory=class_row(EndedInHour)) as cursor:
        ended = cursor.execute(ENDED_SQL).fetchall()
    with rows.cursor(row_factory=class_row(Amiss)) as cursor:
        amiss = cursor.execute(AMISS_SQL).fetchone()
    if amiss is None:
        raise AssertionError("a query without a condition gives a row")
    return Overview(open_jobs, ended, amiss)
