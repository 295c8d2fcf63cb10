"""The sensor that has clients exported and erased when somebody asked for it."""

from collections.abc import Iterator

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.erasing import DueErasure, due_erasures
from zixly_core.stores.exporting import DueExport, due_exports
from zixly_dagster.jobs.tenant_requests import ERASE, EXPORT, tenant_erase_job, tenant_export_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import SYSTEM_TAG, TENANT_ID_TAG


def tenant_requests_sensor() -> SensorDefinition:
    """Every few seconds: somebody waits at the command."""

    @sensor(
        name="tenant_requests",
        jobs=[tenant_export_job(), tenant_erase_job()],
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description="Has a client's data put together, or a client erased, when somebody asked for it.",
    )
    def look_for_requests(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        try:
            exports, erasures = due_exports(dispatchers.dispatch()), due_erasures(dispatchers.dispatch())
        except StoreUnavailable as error:
            yield SkipReason(f"Postgres is away, nothing was looked for: {error}")
            return
        if not exports and not erasures:
            yield SkipReason("Nobody has asked for an export or an erasure.")
        for export in exports:
            yield dispatchers.named(export_request(export))
        for erasure in erasures:
            yield dispatchers.named(erase_request(erasure))

    return look_for_requests


def export_request(export: DueExport) -> RunRequest:
    """One run, and another one for a try that was not heard of again."""
    config = {"tenant_id": str(export.tenant_id), "export_id": str(export.id)}
    return RunRequest(
        job_name=EXPORT,
        run_key=f"export:{export.id}:{export.tried_at}",
        run_config={"ops": {"put_together": {"config": config}}},
        tags={SYSTEM_TAG: "tenants", TENANT_ID_TAG: str(export.tenant_id)},
    )


def erase_request(erasure: DueErasure) -> RunRequest:
    """One run, and another one a minute later where that did not come to the end."""
    return RunRequest(
        job_name=ERASE,
        run_key=f"erase:{erasure.tenant_id}:{erasure.asked_at}:{erasure.tried_at}",
        run_config={"ops": {"take_out": {"config": {"tenant_id": str(erasure.tenant_id)}}}},
        tags={SYSTEM_TAG: "tenants", TENANT_ID_TAG: str(erasure.tenant_id)},
    )
