"""`tenant_export` and `tenant_erase`: what people asked for about a whole client, done by a worker."""

from uuid import UUID

from dagster import Config, Failure, JobDefinition, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.errors import ZixlyError
from zixly_core.http_client import new_client
from zixly_core.outgoing import to_vendors
from zixly_core.revoking import BY_HAND, revoke
from zixly_core.secrets.vaults import open_vault
from zixly_core.settings import settings_now
from zixly_core.stores.erasing import Authorised
from zixly_core.stores.exporting import note_failed, note_ready, take_export
from zixly_core.tenant_erasure import Hands, erase_tenant
from zixly_core.tenant_export import put_export
from zixly_core.token_store import Connection
from zixly_dagster.resources.objects import ObjectsResource
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource

EXPORT, ERASE = "tenant_export", "tenant_erase"


class ExportConfig(Config):
    """Which export, in ids."""

    tenant_id: str = Field(description="Whose data it is.")
    export_id: str = Field(description="Id of a row in zixly.tenant_exports.")


class EraseConfig(Config):
    """Which tenant; it must have been asked for with `zixly tenant erase`."""

    tenant_id: str = Field(description="Id of a row in zixly.tenant_erasures.")


@op(tags={"kind": "s3"})
def put_together(context: OpExecutionContext, config: ExportConfig, postgres: PostgresResource, objects: ObjectsResource) -> None:
    """Write the tenant's rows, table by table and without secrets, below its key in the object store, to be fetched once."""
    runs, tenant_id, export_id = postgres.runs(), UUID(config.tenant_id), UUID(config.export_id)
    if not take_export(runs, export_id, tenant_id=tenant_id):
        context.add_output_metadata({"summary": "Somebody else has put this export together."})
        return
    try:
        counts = put_export(runs, objects.store(), tenant_id=tenant_id, export_id=export_id)
    except ZixlyError as error:
        note_failed(runs, export_id, tenant_id=tenant_id, reason=error.reason)
        raise Failure(f"The export could not be put together: {error}", allow_retries=False) from None
    note_ready(runs, export_id, tenant_id=tenant_id, counts=counts)
    context.add_output_metadata({"summary": f"{sum(counts.values())} rows of {len(counts)} tables are ready.", **counts})


@op(tags={"kind": "postgres"})
def take_out(
    context: OpExecutionContext, config: EraseConfig, postgres: PostgresResource, objects: ObjectsResource, secrets: SecretsResource
) -> None:
    """Stop the tenant's work, end its authorisations, erase what is no id and no count, in the database and in the object store."""
    runs, settings = postgres.runs(), settings_now()
    http, tokens = new_client(to_vendors(settings)), secrets.tokens(runs)

    def revoked(tenant_id: UUID, connection: Authorised) -> str | None:
        try:
            kept = tokens.read(Connection(connection.id, tenant_id, connection.system, connection.external_id)).tokens
        except ZixlyError:
            return BY_HAND.get(connection.system)
        return revoke(http, settings, system=connection.system, tokens=kept)

    try:
        hands = Hands(runs, postgres.retention(), objects.store(), open_vault(settings), revoked)
        counts = erase_tenant(hands, UUID(config.tenant_id))
    except ZixlyError as error:
        raise Failure(f"{error} What was erased until then stays erased; it is gone on with by itself.", allow_retries=False) from None
    finally:
        http.close()
    summary = (
        "Nobody asked for this tenant to be erased, or it is done."
        if counts is None
        else f"{sum(counts.values())} rows and objects erased."
    )
    context.add_output_metadata({"summary": summary, **(counts or {})})


@job(
    name=EXPORT,
    executor_def=in_process_executor,
    description="**Put a client's data together** for `zixly tenant export`. Launched by its sensor when somebody has asked.",
)
def tenant_export_() -> None:
    put_together()


@job(
    name=ERASE,
    executor_def=in_process_executor,
    description=(
        "**Erase a client** for `zixly tenant erase`. Launched by its sensor when somebody has asked, again each minute until it is done; "
        "launched by hand for a client that nobody asked to be erased it does nothing."
    ),
)
def tenant_erase_() -> None:
    take_out()


def tenant_export_job() -> JobDefinition:
    definition: JobDefinition = tenant_export_
    return definition


def tenant_erase_job() -> JobDefinition:
    definition: JobDefinition = tenant_erase_
    return definition
