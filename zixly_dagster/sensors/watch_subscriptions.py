"""The sensor that looks for missing numbers, and has webhooks looked at that somebody asked about or that were not looked at for long."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.settings import settings_now
from zixly_core.stores.sequences import note_missing_numbers
from zixly_core.stores.watching import due_checks
from zixly_dagster.jobs.watch_subscriptions import NAME, watch_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import SYSTEM_TAG, TENANT_ID_TAG

# A check that failed is made again in the next of these spans: a run key that was used is never used again.
AGAIN_SECONDS = 300


def watch_sensor() -> SensorDefinition:
    """Every ten seconds: `zixly watch run` waits for it."""

    @sensor(
        name=NAME,
        job=watch_job(),
        minimum_interval_seconds=10,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Looks for numbers that never came (Xero numbers its events), and has webhooks looked at when somebody asks, when numbers are "
            "missing, soon after a start, and when the hourly look was missed."
        ),
    )
    def look_for_due(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        try:
            note_missing_numbers(dispatchers.dispatch(), patience=timedelta(seconds=settings_now().watch_patience_seconds))
            due = due_checks(dispatchers.dispatch())
        except StoreUnavailable as error:
            yield SkipReason(f"Postgres is away, nothing was looked for: {error}")
            return
        if not due:
            yield SkipReason("No number is missing, nobody asked, and no look is overdue.")
        for one in due:
            yield dispatchers.named(request_for(one, now=datetime.now(UTC)))

    return look_for_due


def request_for(due: Mapping[str, Any], *, now: datetime) -> RunRequest:
    """One run for each thing asked or found, and another one five minutes later where that came to nothing."""
    connections = [str(one) for one in due["connection_ids"]]
    config = {"tenant": str(due["tenant_id"]), "connections": connections}
    return RunRequest(
        run_key=f"{due['tenant_id']}:{due['wanted_at']}:{due['found_at']}:{int(now.timestamp()) // AGAIN_SECONDS}",
        run_config={"ops": {"check_webhooks": {"config": config}}},
        tags={SYSTEM_TAG: "connections", TENANT_ID_TAG: str(due["tenant_id"])},
    )
