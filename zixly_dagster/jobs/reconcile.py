"""`reconcile`: read what changed at the sources, compare it with the targets and with our jobs. A run, since only workers may open
tokens."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from uuid import UUID

from dagster import Config, Failure, JobDefinition, MetadataValue, OpExecutionContext, TableRecord, in_process_executor, job, op
from pydantic import Field

from zixly_core.reconciling.carrying_on import Ended, Outcome, carry_on
from zixly_core.reconciling.planning import Ask, plan
from zixly_core.settings import settings_now
from zixly_core.stores.database import Database
from zixly_core.stores.reconciliations import Taken, take, tenants_in
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.ops.story import counted, schema_of
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.vendors import new_keeper

NAME = "reconcile"


class ReconcileConfig(Config):
    """Whose records are compared. Everything but the tenant may be left as it is."""

    tenant: str = Field(description="The tenant's short name or id.")
    workflow: str = Field(default="", description="Such as xero-invoice-to-hubspot; empty: all that the tenant has.")
    full: bool = Field(default=False, description="Read the last 30 days again, and not only what changed since the last time.")
    dry: bool = Field(default=False, description="Only tell: make no jobs for events that never came.")
    night: str = Field(default="", description="Filled in by the schedule: the tenant's date. A night is done once.")
    reconciliation_id: str = Field(default="", description="Filled in by the sensor: go on with this one.")


@op(tags={"kind": "postgres"})
def compare_records(context: OpExecutionContext, config: ReconcileConfig, postgres: PostgresResource, secrets: SecretsResource) -> None:
    """Compare, a page at a time; keep drifts, make jobs for events that never came. What has to wait goes on by itself later."""
    runs = postgres.runs()
    tenant_id = tenant_in(postgres.dispatch(), config.tenant)
    ids = [UUID(config.reconciliation_id)] if config.reconciliation_id else planned(runs, tenant_id, config)
    ended: list[tuple[Taken, Outcome]] = []
    with clients_of(runs, secrets, tenant_id) as clients:
        for one in ids:
            taken = take(runs, one, tenant_id=tenant_id, run_id=context.run_id)
            if taken is not None:
                ended.append((taken, carry_on(taken, runs, clients, now=lambda: datetime.now(UTC))))
    tell(context, ended, asked=len(ids))
    if failed := [taken for taken, outcome in ended if outcome.ended is Ended.FAILED]:
        words = ", ".join(f"{taken.workflow} ({outcome.reason})" for taken, outcome in ended if taken in failed)
        raise Failure(f"Not reconciled: {words}; `zixly reconcile show ID` tells why.", allow_retries=False)


def tenant_in(dispatch: Database, named: str) -> UUID:
    """The tenant's id. Raises `Failure` for one that does not exist or is paused."""
    for tenant_id, slug, _ in tenants_in(dispatch):
        if named in (slug, str(tenant_id)):
            return tenant_id
    raise Failure("There is no such tenant, or it is paused; `zixly tenants` lists them.", allow_retries=False)


def planned(runs: Database, tenant_id: UUID, config: ReconcileConfig) -> Sequence[UUID]:
    ask = Ask(
        tenant_id=tenant_id,
        workflow=config.workflow or None,
        is_full=config.full,
        is_dry=config.dry,
        night=date.fromisoformat(config.night) if config.night else None,
    )
    with runs.transaction(tenant_id=tenant_id) as connection:
        return plan(connection, ask, now=datetime.now(UTC))


@contextmanager
def clients_of(runs: Database, secrets: SecretsResource, tenant_id: UUID) -> Iterator[VendorClients]:
    """Clients that take what live work leaves of the vendors' limits."""
    settings = settings_now()
    clients = VendorClients(settings, secrets.tokens(runs), budgets=new_keeper(settings)).in_lane("bulk")
    try:
        yield clients
    finally:
        clients.keep_call_counts(tenant_id)
        clients.close()


def tell(context: OpExecutionContext, ended: Sequence[tuple[Taken, Outcome]], *, asked: int) -> None:
    """Counts for the run's page: never a record's name or value."""
    rows = [row_of(taken, outcome) for taken, outcome in ended]
    found = sum(count for _, outcome in ended for name, count in outcome.counts.items() if name != "repairs")
    waiting = sum(outcome.ended is Ended.PARKED for _, outcome in ended)
    words = f"{counted(len(ended), 'reconciliation')}: {counted(found, 'drift')}."
    if waiting:
        words += f" {waiting} go on later by themselves."
    if not asked:
        words = "Nothing to reconcile: it is under way or done already, or the tenant has no such workflow."
    metadata: dict[str, object] = {"summary": words, "drifts": found}
    if rows:
        metadata["reconciliations"] = MetadataValue.table(records=[TableRecord(dict(row)) for row in rows], schema=schema_of(rows))
    context.add_output_metadata(metadata)
    context.log.info(words)


def row_of(taken: Taken, outcome: Outcome) -> Mapping[str, str]:
    counts = {name: str(outcome.counts.get(name, 0)) for name in ("missing_event", "field_drift", "missing_target", "repairs")}
    return {"id": str(taken.id), "workflow": taken.workflow, "ended": outcome.reason or outcome.ended.value, **counts}


@job(
    name=NAME,
    executor_def=in_process_executor,
    description=(
        "**Compare a tenant's sources with their targets and with our jobs.** Every night by schedule; by hand from here or with "
        "`zixly reconcile run`.\n\n"
        "Reads what changed since the last good time, in batches, from what live work leaves of the vendors' limits. An event that never "
        "came gets its job at once; a target that differs becomes a drift, which is repaired by `repair_drift`, `zixly reconcile repair`, "
        "or at night where the connection's setting says so. What has to wait for a vendor goes on by itself."
    ),
)
def reconcile() -> None:
    compare_records()


def reconcile_job() -> JobDefinition:
    definition: JobDefinition = reconcile
    return definition
