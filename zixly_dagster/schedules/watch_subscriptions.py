"""Once an hour: all webhooks of all tenants are looked at."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from dagster import DefaultScheduleStatus, RunRequest, ScheduleDefinition, ScheduleEvaluationContext, schedule

from zixly_core.stores.watching import watched_tenants
from zixly_dagster.jobs.watch_subscriptions import watch_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import SYSTEM_TAG, TENANT_ID_TAG

# Not at the full hour, when everybody else's clocks strike too, and not beside the upkeep of authorisations.
EVERY_HOUR = "37 * * * *"


def watch_schedule() -> ScheduleDefinition:
    """On from the start: a webhook that is gone is noticed by nobody else."""

    @schedule(
        name="watch_subscriptions_hourly",
        job=watch_job(),
        cron_schedule=EVERY_HOUR,
        default_status=DefaultScheduleStatus.RUNNING,
        description="Has the webhooks of each tenant looked at, and what was missed made good.",
    )
    def look_at_all(context: ScheduleEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest]:
        for tenant_id in watched_tenants(dispatchers.dispatch()):
            yield dispatchers.named(request_for(tenant_id, at=context.scheduled_execution_time))

    return look_at_all


def request_for(tenant_id: UUID, *, at: datetime) -> RunRequest:
    """One run for each tenant and hour."""
    return RunRequest(
        run_key=f"{tenant_id}:{at.isoformat()}",
        run_config={"ops": {"check_webhooks": {"config": {"tenant": str(tenant_id)}}}},
        tags={SYSTEM_TAG: "connections", TENANT_ID_TAG: str(tenant_id)},
    )
