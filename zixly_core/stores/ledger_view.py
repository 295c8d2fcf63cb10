"""The ledger by hour, tenant and system: what came and what became of it, what was made and how it ended.

Events received are counted when a raw delivery is written (`event_count`), so that an event row which is missing afterwards shows as
a difference. Deliveries can be about several tenants: only whoever sees all of them sees that difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from zixly_core.stores.database import Rows

# Both by age, through indexes on the tenant's rows. Counted before tenants are joined: the other way round, the day's rows would be sorted
# by the tenants' names, or read once for each tenant.
EVENTS_SQL = """
select of_hour.*, t.slug as tenant, null::bigint as received from (
select e.tenant_id, e.system, date_trunc('hour', e.received_at, 'UTC') as hour,
  count(*) filter (where outcome = 'jobs') as with_jobs, count(*) filter (where outcome = 'filtered') as filtered,
  count(*) filter (where outcome = 'duplicate') as duplicate, count(*) filter (where outcome = 'unroutable') as unroutable
from zixly.events e
where e.received_at >= %(since)s and e.received_at < %(until)s and (%(system)s::text is null or e.system = %(system)s)
  and (%(tenant)s::text is null or e.tenant_id = (select id from zixly.tenants where slug = %(tenant)s))
group by 1, 2, 3) of_hour left join zixly.tenants t on t.id = of_hour.tenant_id"""

# In one statement, so that no delivery comes between the two. A delivery's events have its system and its arrival time, so they are
# counted once, for their tenants, and not a second time beside each delivery.
EVENTS_AND_RECEIVED_SQL = f"""
{EVENTS_SQL}
union all
select null, d.system, date_trunc('hour', d.received_at, 'UTC'), 0, 0, 0, 0, null, sum(d.event_count)
from zixly.deliveries d
where d.received_at >= %(since)s and d.received_at < %(until)s and (%(system)s::text is null or d.system = %(system)s)
group by 2, 3"""
IN_ORDER = " order by hour, tenant nulls first, system"

# Each job is counted once, and laid out by origin and status afterwards: ten conditions for each job took longer than finding it.
JOBS_SQL = """
select of_hour.*, t.slug as tenant from (
select tenant_id, system, hour, sum(jobs)::bigint as made,
  coalesce(sum(jobs) filter (where origin = 'event'), 0)::bigint as by_event,
  coalesce(sum(jobs) filter (where origin = 'replay'), 0)::bigint as by_replay,
  coalesce(sum(jobs) filter (where origin = 'backfill'), 0)::bigint as by_backfill,
  coalesce(sum(jobs) filter (where origin = 'reconciliation'), 0)::bigint as by_reconciliation,
  coalesce(sum(jobs) filter (where origin in ('follow-up', 'manual')), 0)::bigint as by_others,
  coalesce(sum(jobs) filter (where status = 'COMPLETED'), 0)::bigint as completed,
  coalesce(sum(jobs) filter (where status = 'FAILED'), 0)::bigint as failed,
  coalesce(sum(jobs) filter (where status = 'CANCELLED'), 0)::bigint as cancelled,
  coalesce(sum(jobs) filter (where status in ('QUEUED', 'RUNNING')), 0)::bigint as open
from (select j.tenant_id, j.system, date_trunc('hour', j.created_at, 'UTC') as hour, origin, status, count(*) as jobs
from zixly.workflow_jobs j
where j.created_at >= %(since)s and j.created_at < %(until)s and (%(system)s::text is null or j.system = %(system)s)
  and (%(tenant)s::text is null or j.tenant_id = (select id from zixly.tenants where slug = %(tenant)s))
group by 1, 2, 3, 4, 5) counted group by 1, 2, 3) of_hour join zixly.tenants t on t.id = of_hour.tenant_id order by hour, slug, system"""


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


OF_EVENTS = tuple(field.name for field in fields(EventsOfHour))


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
    tells_received = is_staff and wanted.tenant is None
    came = list(connection.execute((EVENTS_AND_RECEIVED_SQL if tells_received else EVENTS_SQL) + IN_ORDER, wanted.values))
    said = [(row["system"], row["hour"], row["received"]) for row in came if row["received"] is not None]
    events = [EventsOfHour(**{name: row[name] for name in OF_EVENTS}) for row in came if row["received"] is None]
    kept = kept_in_hours(events)
    received = [ReceivedInHour(system, hour, count, kept[system, hour]) for system, hour, count in said]
    with connection.cursor(row_factory=class_row(JobsOfHour)) as cursor:
        jobs = cursor.execute(JOBS_SQL, wanted.values).fetchall()
    return LedgerView(events=events, jobs=jobs, received=received if tells_received else None)


def kept_in_hours(events: Iterable[EventsOfHour]) -> Counter[tuple[str, datetime]]:
    """How many events of a system and hour are there, of all tenants."""
    kept: Counter[tuple[str, datetime]] = Counter()
    for one in events:
        kept[one.system, one.hour] += one.with_jobs + one.filtered + one.duplicate + one.unroutable
    return kept
