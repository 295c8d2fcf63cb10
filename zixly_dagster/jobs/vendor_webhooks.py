"""`vendor_webhooks`: make a webhook at a vendor that wants a path and a handshake for each. A run, since only workers may open tokens."""

from uuid import UUID

from dagster import Config, JobDefinition, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.settings import settings_now
from zixly_core.stores.connections import connection_in
from zixly_core.subscribing import subscribe
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.vendors import new_keeper

NAME = "vendor_webhooks"


class WishConfig(Config):
    """Which wish is to be fulfilled, in ids."""

    tenant_id: str = Field(description="Whose it is.")
    subscription_id: str = Field(description="Id of a row in zixly.subscriptions that is WANTED.")


@op(tags={"kind": "asana"})
def make_webhook(context: OpExecutionContext, config: WishConfig, postgres: PostgresResource, secrets: SecretsResource) -> None:
    """Make the webhook; the vendor calls its path, and the bridge answers, while this call is open."""
    runs, settings, tenant_id = postgres.runs(), settings_now(), UUID(config.tenant_id)
    clients = VendorClients(settings, secrets.tokens(runs), budgets=new_keeper(settings))

    def client_of(connection_id: UUID) -> AsanaClient:
        return clients.asana(connection_in(runs, tenant_id, connection_id))

    try:
        outcome = subscribe(
            runs, client_of, tenant_id=tenant_id, wish_id=UUID(config.subscription_id), public_url=settings.bridge_public_url
        )
    finally:
        clients.close()
    context.add_output_metadata({"outcome": outcome})


@job(
    name=NAME,
    executor_def=in_process_executor,
    tags={"dagster/kind": "asana"},
    description=(
        "**Make a webhook at Asana**, with a path and a secret of its own. Launched by its sensor when somebody wishes for "
        "one (`zixly connections listen`); a wish that cannot be fulfilled now is tried again."
    ),
)
def vendor_webhooks() -> None:
    make_webhook()


def webhooks_job() -> JobDefinition:
    definition: JobDefinition = vendor_webhooks
    return definition
