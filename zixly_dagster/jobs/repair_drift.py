"""`repair_drift`: have drifts repaired from the Dagster UI, one or all that a reconciliation found."""

from datetime import UTC, datetime
from uuid import UUID

from dagster import Config, Failure, JobDefinition, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.drifts import DriftKind
from zixly_core.stores.drifts import repair
from zixly_dagster.jobs.reconcile import tenant_in
from zixly_dagster.ops.story import counted
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.resources.postgres import PostgresResource


class RepairConfig(Config):
    """Which drifts. One of the two ids is needed."""

    tenant: str = Field(description="The tenant's short name or id.")
    drift_id: str = Field(default="", description="One drift, as `zixly reconcile show` names it.")
    reconciliation_id: str = Field(default="", description="All open drifts that this reconciliation found.")
    kind: str = Field(default="", description="Of those only missing_event, field_drift or missing_target.")


@op(tags={"kind": "postgres"})
def make_repair_jobs(
    context: OpExecutionContext, config: RepairConfig, postgres: PostgresResource, dispatchers: DispatchersResource
) -> None:
    """Make a job for each open drift; a drift that is under repair already is left alone."""
    tenant_id = tenant_in(postgres.dispatch(), config.tenant)
    if not config.drift_id and not config.reconciliation_id:
        raise Failure("Name a drift_id or a reconciliation_id; `zixly reconcile ls` lists them.", allow_retries=False)
    with postgres.runs().transaction(tenant_id=tenant_id) as connection:
        made = repair(
            connection,
            now=datetime.now(UTC),
            ids=[UUID(config.drift_id)] if config.drift_id else None,
            found_by=UUID(config.reconciliation_id) if config.reconciliation_id else None,
            kind=DriftKind(config.kind) if config.kind else None,
        )
    dispatchers.announce(made.by_system)
    context.add_output_metadata({"summary": f"{counted(made.count, 'drift')} under repair.", "jobs": made.count})


@job(
    name="repair_drift",
    executor_def=in_process_executor,
    description=(
        "**Repair drifts that a reconciliation found**: the workflow writes the record anew from the source's present state. Each drift is "
        "repaired once, however often this is launched. Something that was made and is gone is made again: a person may have removed it on "
        "purpose, so look first (`zixly reconcile show ID`)."
    ),
)
def repair_drift() -> None:
    make_repair_jobs()


def repair_drift_job() -> JobDefinition:
    definition: JobDefinition = repair_drift
    return definition
