"""Ops that read a day of a backfill: of the partition's tenant, or of every tenant that has an account at the system."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid5

from dagster import Config, Failure, MultiPartitionKey, OpDefinition, OpExecutionContext, op
from pydantic import Field

from zixly_core.backfilling import DayRead, DayReader, reader_of
from zixly_core.errors import Permanent
from zixly_core.settings import settings_now
from zixly_core.stores.backfill_days import TakenDay, add_from_dagster, end_day, take_day, tenant_slugs, tenants_with
from zixly_core.stores.backfills import NewBackfill, zone_name_of
from zixly_core.stores.connections import connection_in, connections_of
from zixly_core.stores.database import Database
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.instance.gateway_user import USER_TAG
from zixly_dagster.ops.story import counted
from zixly_dagster.partitions import DAY, TENANT
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.vendors import new_keeper
from zixly_dagster.workflow import job_name_of

# The backfill that our sensor launches a run for.
BACKFILL_TAG = "dagster/zixly_backfill"
# For the dialog that launches many partitions at once, which asks for tags.
DRY_RUN_TAG = "zixly/dry_run"
DAGSTER_BACKFILL_TAG = "dagster/backfill"
# Of ids of backfills that are launched in the Dagster UI.
NAMESPACE = UUID("6a1f3f0e-6d0c-4b43-9d1b-3c1f5b7f3d10")


class BackfillConfig(Config):
    """How a day is backfilled; nothing needs to be given."""

    dry_run: bool = Field(default=False, description="Only tell what would be done: how many records, and differences of the first ones.")
    connection_id: str = Field(
        default="",
        description="Id of the account, where a tenant has several at the system (`zixly connections list`); empty: its only one.",
    )


@dataclass(frozen=True)
class Asked:
    """A day of a workflow that a run is to read, and who asked for it."""

    workflow: str
    system: str
    day: date
    config: BackfillConfig


def day_op(workflow: str, system: str) -> OpDefinition:
    """The op that reads the partition's day of the partition's tenant. Ops of a code location have names of their own."""

    @op(name=f"read_day_for_{job_name_of(workflow)}", tags={"kind": system})
    def read_day(context: OpExecutionContext, config: BackfillConfig, dispatchers: DispatchersResource, secrets: SecretsResource) -> None:
        """List the records that changed at the source in that day of the tenant, and make a job for each of which something is news."""
        key = context.partition_key
        if not isinstance(key, MultiPartitionKey):
            raise Failure("Choose a day and a tenant.", allow_retries=False)
        names = key.keys_by_dimension
        tenant_id = tenant_slugs(dispatchers.dispatch()).get(names[TENANT])
        if tenant_id is None:
            raise Failure(f"There is no tenant {names[TENANT]} any more.", allow_retries=False)
        asked = Asked(workflow, system, date.fromisoformat(names[DAY]), config)
        show(context, Reading(context, dispatchers, secrets, asked).of_tenants({names[TENANT]: tenant_id}))

    definition: OpDefinition = read_day
    return definition


def day_of_all_op(workflow: str, system: str) -> OpDefinition:
    """The op that reads the partition's day of all tenants, one after the other."""

    @op(name=f"read_day_of_all_for_{job_name_of(workflow)}", tags={"kind": system})
    def read_day_of_all(
        context: OpExecutionContext, config: BackfillConfig, dispatchers: DispatchersResource, secrets: SecretsResource
    ) -> None:
        """As `read_day`, for every tenant that has an account at the system; each tenant's day is its own, by its time zone."""
        asked = Asked(workflow, system, date.fromisoformat(str(context.partition_key)), config)
        show(context, Reading(context, dispatchers, secrets, asked).of_tenants(tenants_with(dispatchers.dispatch(), system)))

    definition: OpDefinition = read_day_of_all
    return definition


class Reading:
    """What one run reads."""

    def __init__(self, context: OpExecutionContext, dispatchers: DispatchersResource, secrets: SecretsResource, asked: Asked) -> None:
        self._run = context.run
        self._runs = dispatchers.runs()
        self._dispatchers = dispatchers
        self._secrets = secrets
        self._asked = asked

    def of_tenants(self, tenants: Mapping[str, UUID]) -> dict[str, DayRead]:
        """What it came to with each tenant, by short name."""
        settings = settings_now()
        clients = VendorClients(settings, self._secrets.tokens(self._runs), budgets=new_keeper(settings))
        try:
            return {slug: self._of_tenant(clients, tenant_id) for slug, tenant_id in tenants.items()}
        finally:
            for tenant_id in tenants.values():
                clients.keep_call_counts(tenant_id)
            clients.close()

    def _of_tenant(self, clients: VendorClients, tenant_id: UUID) -> DayRead:
        try:
            backfill_id = self._backfill_of(tenant_id)
        except Permanent as error:
            return DayRead("FAILED", error=str(error))
        taken = take_day(self._runs, tenant_id=tenant_id, backfill_id=backfill_id, day=self._asked.day, run_id=self._run.run_id)
        return DayRead("NOTHING") if taken is None else self._read(clients, taken)

    def _read(self, clients: VendorClients, taken: TakenDay) -> DayRead:
        """A worker that is stopped in the middle gives the day back, so that it goes on without waiting for the lease to lapse."""
        account = connection_in(self._runs, taken.tenant_id, taken.connection_id)
        reader = DayReader(self._runs, taken, account, announce=self._dispatchers.announce)
        try:
            return reader.read(lambda: reader_of(clients, self._runs, taken, account))
        except BaseException:
            end_day(self._runs, taken, "WAITING", error="interrupted: the run was stopped or broke; it goes on by itself.")
            raise

    def _backfill_of(self, tenant_id: UUID) -> UUID:
        """The backfill that our sensor launched the run for, else one for what a person launched in the Dagster UI."""
        tags = self._run.tags
        if BACKFILL_TAG in tags:
            return UUID(tags[BACKFILL_TAG])
        launch = tags.get(DAGSTER_BACKFILL_TAG) or self._run.root_run_id or self._run.run_id
        asked, is_dry_run = self._asked, self._asked.config.dry_run or tags.get(DRY_RUN_TAG, "").lower() == "true"
        with self._runs.transaction(tenant_id=tenant_id) as connection:
            zone = zone_name_of(connection, tenant_id)
        new = NewBackfill(
            id=uuid5(NAMESPACE, f"{launch}:{asked.workflow}:{tenant_id}:{is_dry_run}"),
            tenant_id=tenant_id,
            connection_id=self._account_of(self._runs, tenant_id),
            workflow=asked.workflow,
            system=asked.system,
            first_day=asked.day,
            last_day=asked.day,
            time_zone=zone,
            is_dry_run=is_dry_run,
            actor=tags.get(USER_TAG) or "dagster",
            launched_by=launch,
        )
        add_from_dagster(self._runs, new)
        return new.id

    def _account_of(self, runs: Database, tenant_id: UUID) -> UUID:
        named = self._asked.config.connection_id
        if named:
            return connection_in(runs, tenant_id, UUID(named)).id
        found = connections_of(runs, tenant_id, system=self._asked.system)
        if len(found) != 1:
            which = "several" if found else "no"
            advice = "; name one as connection_id in the run's config" if found else ""
            raise Permanent(f"The tenant has {which} {self._asked.system} connections{advice}.", reason="connection_undecided")
        return found[0].id


def show(context: OpExecutionContext, outcomes: Mapping[str, DayRead]) -> None:
    """What the run came to, in words. Raises `Failure` naming the tenants whose day was not read."""
    read = list(outcomes.values())
    found, known, made = (sum(getattr(one, name) for one in read) for name in ("found", "known", "made"))
    words = f"{counted(found, 'record')} changed, {known} known already, {counted(made, 'job')} made."
    if all(one.state == "NOTHING" for one in read):
        words = "Nothing was done: the day is read already, was stopped, or is in another run's hands."
    context.add_output_metadata({"summary": words, "found": found, "known": known, "made": made, "tenants": len(read)})
    failed = [f"{slug}: {told(one)}" for slug, one in outcomes.items() if one.state in {"WAITING", "FAILED"}]
    if failed:
        raise Failure(" ".join(failed), allow_retries=False)


def told(outcome: DayRead) -> str:
    return f"{outcome.error}" + (" It is tried again by itself." if outcome.state == "WAITING" else "")
