"""The sensor that has wished-for webhooks made."""

from collections.abc import Iterator
from uuid import UUID

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.wishes import due_wishes
from zixly_dagster.jobs.vendor_webhooks import NAME, webhooks_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import SYSTEM_TAG, TENANT_ID_TAG


def vendor_webhooks_sensor() -> SensorDefinition:
    """A wish has waited for a person; a few seconds more do not matter."""

    @sensor(
        name=NAME,
        job=webhooks_job(),
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description="Has the webhooks made that somebody wished for at vendors that want a path and a handshake for each (Asana).",
    )
    def look_for_wishes(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        try:
            wishes = due_wishes(dispatchers.dispatch())
        except StoreUnavailable as error:
            yield SkipReason(f"Postgres is away, nothing was looked for: {error}")
            return
        if not wishes:
            yield SkipReason("Nobody wishes for a webhook.")
        for wish in wishes:
            yield dispatchers.named(request_for(wish["id"], wish["tenant_id"], tried=str(wish["tried_at"])))

    return look_for_wishes


def request_for(wish_id: UUID, tenant_id: UUID, *, tried: str) -> RunRequest:
    """One run for each try: a run key that was used is never used again."""
    config = {"tenant_id": str(tenant_id), "subscription_id": str(wish_id)}
    return RunRequest(
        run_key=f"{wish_id}:{tried}",
        run_config={"ops": {"make_webhook": {"config": config}}},
        tags={SYSTEM_TAG: "asana", TENANT_ID_TAG: str(tenant_id)},
    )
