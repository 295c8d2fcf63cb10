"""The sensor that has the days of backfills read, notes which came to their end, and keeps the partitions of tenants in step."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dagster import (
    AddDynamicPartitionsRequest,
    DefaultSensorStatus,
    DeleteDynamicPartitionsRequest,
    RunRequest,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.backfill_days import due_days, settle_backfills, tenant_slugs
from zixly_dagster.jobs.backfill import backfill_jobs, backfill_name
from zixly_dagster.ops.backfill_days import BACKFILL_TAG
from zixly_dagster.partitions import DAYS_OF_TENANTS, TENANTS, partition_key
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import TENANT_ID_TAG

# A run that never began is asked for again in the next of these spans: a run key that was used is never used again.
AGAIN_SECONDS = 300


def backfills_sensor() -> SensorDefinition:
    """Every few seconds: somebody looks at the progress."""

    @sensor(
        name="backfills",
        jobs=[one for one in backfill_jobs() if one.partitions_def == DAYS_OF_TENANTS],
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Launches the runs that read the days of backfills (`zixly backfill`), a few at a time, and those again whose run was "
            "killed or has to be repeated. Keeps the tenants among the partitions. Keep it on."
        ),
    )
    def look_for_days(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> SensorResult | SkipReason:
        database = dispatchers.dispatch()
        try:
            settle_backfills(database)
            wanted, due = set(tenant_slugs(database)), due_days(database)
        except StoreUnavailable as error:
            return SkipReason(f"Postgres is away, nothing was looked for: {error}")
        known = set(context.instance.get_dynamic_partitions(str(TENANTS.name)))
        now = datetime.now(UTC)
        return SensorResult(
            run_requests=[dispatchers.named(request_for(one, now=now)) for one in due],
            dynamic_partitions_requests=changes_of_tenants(known=known, wanted=wanted),
            skip_reason=None if due else SkipReason("No day of a backfill is to be read now."),
        )

    return look_for_days


def changes_of_tenants(*, known: set[str], wanted: set[str]) -> list[AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest]:
    """What makes the partitions those that are wanted."""
    changes: list[AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest] = []
    if wanted - known:
        changes.append(TENANTS.build_add_request(sorted(wanted - known)))
    if known - wanted:
        changes.append(TENANTS.build_delete_request(sorted(known - wanted)))
    return changes


def request_for(due: Mapping[str, Any], *, now: datetime) -> RunRequest:
    """One run for each try at a day, and another one where that never began."""
    return RunRequest(
        run_key=f"{due['id']}:{due['day']}:{due['tries']}:{int(now.timestamp()) // AGAIN_SECONDS}",
        job_name=backfill_name(due["workflow"]),
        partition_key=partition_key(str(due["day"]), due["slug"]),
        tags={BACKFILL_TAG: str(due["id"]), TENANT_ID_TAG: str(due["tenant_id"])},
    )
