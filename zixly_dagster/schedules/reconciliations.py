"""Every night, where the client company is: one schedule for each time zone of a list, and one for all other zones.

04:10 exists exactly once on every day in every zone of the list. Clocks change there between 02:00 and 03:45 (Chatham), so an hour
before would be skipped or doubled twice a year.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dagster import DefaultScheduleStatus, RunRequest, ScheduleDefinition, ScheduleEvaluationContext, SkipReason, schedule

from zixly_core.stores.reconciliations import tenants_in
from zixly_dagster.jobs.reconcile import reconcile_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import TENANT_ID_TAG, TENANT_TAG

NIGHT_HOUR = 4
EVERY_NIGHT = f"10 {NIGHT_HOUR} * * *"
EVERY_HOUR = "10 * * * *"
# Where the agency's clients are. Tenants elsewhere are served by the hourly schedule, in the hour that is theirs.
ZONES = (
    "Australia/Adelaide",
    "Australia/Brisbane",
    "Australia/Broken_Hill",
    "Australia/Darwin",
    "Australia/Hobart",
    "Australia/Lord_Howe",
    "Australia/Melbourne",
    "Australia/Perth",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "UTC",
)
ABOUT = "Compares what {whose} have at the source and at the target, once a night; what it missed, the next night reads."

Tenant = tuple[UUID, str, str]
"""Id, short name, time zone."""


def reconciliation_schedules() -> list[ScheduleDefinition]:
    """On from the start: they read, and make only jobs that a webhook should have made."""
    return [*(schedule_of(zone) for zone in ZONES), other_zones()]


def schedule_of(zone: str) -> ScheduleDefinition:
    """The nights of the tenants in one zone."""

    @schedule(
        name=f"reconcile_{zone.replace('/', '_').lower()}",
        job=reconcile_job(),
        cron_schedule=EVERY_NIGHT,
        execution_timezone=zone,
        default_status=DefaultScheduleStatus.RUNNING,
        description=ABOUT.format(whose=f"the tenants in {zone}"),
    )
    def nightly(context: ScheduleEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        night = context.scheduled_execution_time.astimezone(ZoneInfo(zone)).date()
        yield from requests([(tenant, night) for tenant in tenants_in(dispatchers.dispatch()) if tenant[2] == zone])

    return nightly


def other_zones() -> ScheduleDefinition:
    """Every hour, the tenants of other zones whose night it is."""

    @schedule(
        name="reconcile_other_time_zones",
        job=reconcile_job(),
        cron_schedule=EVERY_HOUR,
        execution_timezone="UTC",
        default_status=DefaultScheduleStatus.RUNNING,
        description=ABOUT.format(whose="the tenants in any other time zone"),
    )
    def hourly(context: ScheduleEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        yield from requests(at_night(tenants_in(dispatchers.dispatch()), now=context.scheduled_execution_time))

    return hourly


def at_night(tenants: Sequence[Tenant], *, now: datetime) -> list[tuple[Tenant, date]]:
    """The tenants of zones without a schedule of their own whose fourth hour it is, with their date. A zone that does not exist counts
    as UTC."""
    local = [(tenant, now.astimezone(zone_of(tenant[2]))) for tenant in tenants if tenant[2] not in ZONES]
    return [(tenant, at.date()) for tenant, at in local if at.hour == NIGHT_HOUR]


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def requests(nights: Sequence[tuple[Tenant, date]]) -> Iterator[RunRequest | SkipReason]:
    """One run for each tenant and night, whatever is restarted."""
    if not nights:
        yield SkipReason("It is no tenant's night here.")
    for (tenant_id, slug, _), night in nights:
        yield RunRequest(
            run_key=f"{tenant_id}:{night.isoformat()}",
            run_config={"ops": {"compare_records": {"config": {"tenant": slug, "night": night.isoformat()}}}},
            tags={TENANT_ID_TAG: str(tenant_id), TENANT_TAG: slug},
        )
