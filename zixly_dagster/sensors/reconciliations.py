"""The sensor that has reconciliations carried on: those that people ask for, those that waited, those whose run vanished."""

from collections.abc import Iterator
from datetime import UTC, datetime

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.drifts import settle_all_repairs
from zixly_core.stores.reconciliations import Due, due_reconciliations
from zixly_dagster.jobs.reconcile import reconcile_job
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import TENANT_ID_TAG

# A run that was lost before it took its reconciliation is launched again in the next of these spans: a run key is used once.
AGAIN_SECONDS = 300


def reconciliations_sensor() -> SensorDefinition:
    """Every few seconds; it reads ids and times only."""

    @sensor(
        name="reconciliations",
        job=reconcile_job(),
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Launches the reconciliations that people ask for, and those that waited for a vendor or whose run vanished; notes which "
            "repairs of drifts have ended. Keep it on."
        ),
    )
    def look_for_due(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> Iterator[RunRequest | SkipReason]:
        try:
            repaired = settle_all_repairs(dispatchers.dispatch())
            due = due_reconciliations(dispatchers.dispatch())
        except StoreUnavailable as error:
            yield SkipReason(f"Postgres is away, nothing was looked for: {error}")
            return
        if not due:
            yield SkipReason(f"No reconciliation is due; {repaired} repairs have ended.")
        for one in due:
            yield dispatchers.named(request_for(one, now=datetime.now(UTC)))

    return look_for_due


def request_for(due: Due, *, now: datetime) -> RunRequest:
    """A run that goes on with it."""
    return RunRequest(
        run_key=f"{due.id}:{due.tries}:{int(now.timestamp()) // AGAIN_SECONDS}",
        run_config={"ops": {"compare_records": {"config": {"tenant": str(due.tenant_id), "reconciliation_id": str(due.id)}}}},
        tags={TENANT_ID_TAG: str(due.tenant_id)},
    )
