"""The sensor that has saved settings compared with what the vendors have."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.settings_checks import due_checks
from zixly_dagster.jobs.settings_check import NAME, settings_check_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import SYSTEM_TAG, TENANT_ID_TAG

# A check that failed is made again in the next of these spans: a run key that was used is never used again.
AGAIN_SECONDS = 300


def settings_check_sensor() -> SensorDefinition:
    """Every few seconds: somebody has just saved, and looks whether it was right."""

    @sensor(
        name=NAME,
        job=settings_check_job(),
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description="Has the settings of connections compared with what the vendors have, once after each time they were saved.",
    )
    def look_for_saved(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        try:
            saved = due_checks(dispatchers.dispatch())
        except StoreUnavailable as error:
            yield SkipReason(f"Postgres is away, nothing was looked for: {error}")
            return
        if not saved:
            yield SkipReason("No settings were saved since the last look.")
        for one in saved:
            yield dispatchers.named(request_for(one, now=datetime.now(UTC)))

    return look_for_saved


def request_for(saved: Mapping[str, Any], *, now: datetime) -> RunRequest:
    """One run for each time that settings were saved, and another one five minutes later where that failed."""
    at = saved["settings_saved_at"].isoformat()
    config = {"tenant_id": str(saved["tenant_id"]), "connection_id": str(saved["id"]), "saved_at": at}
    return RunRequest(
        run_key=f"{saved['id']}:{at}:{int(now.timestamp()) // AGAIN_SECONDS}",
        run_config={"ops": {"compare_settings": {"config": config}}},
        tags={SYSTEM_TAG: "connections", TENANT_ID_TAG: str(saved["tenant_id"])},
    )
