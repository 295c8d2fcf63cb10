"""The ledger by hour, tenant and system: what came and what became of it, what was made and how it ended.

Events received are counted when a raw delivery is written (`event_count`), so that an event row which is missing afterwards shows as
a difference. Deliveries can be about several tenants: only whoever sees all of them sees that difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.stores.database import Rows

# Both by age, through indexes on the tenant's rows; a delivery's events have its arrival time. Counted before tenants are joined: the other
# way round, the day's rows would be sorted by the tenants' names, or read once for each tenant.
EVENTS_SQL = """
select of_hour.*, t.slug as tenant from (
select e.tenant_id, e.system, date_trunc('hour', e.received_at, 'UTC') as hour,
  count(*) filter (where outcome = 'jobs') as with_jobs, count(*) filter (where outcome = 'filtered') as filtered,
  count(*) filter (where outcome = 'duplicate') as duplicate, count(*) filter (where outcome = 'unroutable') as unroutable
from zixly.events e
where e.received_at >= %(since)s and e.received_at < %(until)s and (%(system)s::text is null or e.system = %(system)s)
  and (%(tenant)s::text is null or e.tenant_id = (select id from zixly.tenants where slug = %(tenant)s))
group by 1, 2, 3) of_hour left join zixly.tenants t on t.id = of_hour.tenant_id order by hour, slug nulls first, system"""

JOBS_SQL = """
select of_hour.*, t.slug as tenant from (
select j.tenant_id, j.system, date_trunc('hour', j.created_at, 'UTC') as hour, count(*) as made,
  count(*) filter (where origin = 'event') as by_event, count(*) filter (where origin = 'replay') as by_replay,
  count(*) filter (where origin = 'backfill') as by_backfill, count(*) filter (where origin = 'reconciliation') as by_reconciliation,
  count(*) filter (where origin in ('follow-up', 'manual')) as by_others,
  count(*) filter (where status = 'COMPLETED') as completed, count(*) filter (where status = 'FAILED') as failed,
  count(*) filter (where status = 'CANCELLED') as cancelled, count(*) filter (where status in ('QUEUED', 'RUNNING')) as open
from zixly.workflow_jobs j
where j.created_at >= %(since)s and j.created_at < %(until)s and (%(system)s::text is null or j.system = %(system)s)
  and (%(tenant)s::text is null or j.tenant_id = (select id from zixly.tenants where slug = %(tenant)s))
group by 1, 2, 3) of_hour join zixly.tenants t on t.id = of_hour.tenant_id order by hour, slug, system"""

RECEIVED_SQL = """
select d.system, date_trunc('hour', d.received_at, 'UTC') as hour, sum(d.event_count)::bigint as received,
  coalesce(sum(e.events), 0)::bigint as events
from zixly.deliveries d
left join (select delivery_id, count(*) as events from zixly.events where received_at >= %(since)s and received_at < %(until)s
           group by delivery_id) e on e.delivery_id = d.id
where d.received_at >= %(since)s and d.received_at < %(until)s and (%(system)s::text is null or d.system = %(system)s)
group by 1, 2 order by 2, 1"""


@dataclass(frozen=True)
class LedgerWanted:
    """Which hours, and whose. None leaves a question open."""

    since: datetime
    until: datetime
    tenant: str | None = None
    system: str | None = None

    @property
    def values(self) -> dict[str, object]:
        return {"since": self.since, "until": self.until, "tenant": self.tenant, "system": self.system}


@dataclass(frozen=True)
class EventsOfHour:
    """What became of the events of a tenant and system in an hour; no tenant for unroutable ones."""

    tenant_id: UUID | None
    tenant: str | None
    system: str
    hour: datetime
    with_jobs: int
    filtered: int
    duplicate: int
    unroutable: int


@dataclass(frozen=True)
class JobsOfHour:
    """The jobs made in an hour, by what made them and by how they stand now."""

    tenant_id: UUID
    tenant: str
    system: str
    hour: datetime
    made: int
    by_event: int
    by_replay: int
    by_backfill: int
    by_reconciliation: int
    by_others: int
    completed: int
    failed: int
    cancelled: int
    open: int


@dataclass(frozen=True)
class ReceivedInHour:
    """What a system's deliveries said that they hold, beside the events that are there."""

    system: str
    hour: datetime
    received: int
    events: int

    @property
    def difference(self) -> int:
        return self.received - self.events


@dataclass(frozen=True)
class LedgerView:
    """`received` is None for whoever may not see deliveries, or asked for one tenant: it cannot be told apart by tenant."""

    events: list[EventsOfHour]
    jobs: list[JobsOfHour]
    received: list[ReceivedInHour] | None


def ledger_view(connection: Rows, wanted: LedgerWanted, *, is_staff: bool) -> LedgerView:
    """The ledger of these hours, as the scope of the transaction allows."""
    with connection.cursor(row_factory=class_row(EventsOfHour)) as cursor:
        events = cursor.execute(EVENTS_SQL, wanted.values).fetchall()
    with connection.cursor(row_factory=class_row(JobsOfHour)) as cursor:
        jobs = cursor.execute(JOBS_SQL, wanted.values).fetchall()
    received = None
    if is_staff and wanted.tenant is None:
        with connection.cursor(row_factory=class_row(ReceivedInHour)) as cursor:
            received = cursor.execute(RECEIVED_SQL, wanted.values).fetchall()
    return LedgerView(events=events, jobs=jobs, received=received)
