"""Once an hour: authorisations that lie idle are used before their vendor ends them. A run, since only workers may open tokens."""

from dagster import (
    DefaultScheduleStatus,
    JobDefinition,
    MetadataValue,
    OpExecutionContext,
    ScheduleDefinition,
    in_process_executor,
    job,
    op,
)

from zixly_core.connection_upkeep import keep_up
from zixly_core.secrets.vaults import open_vault
from zixly_core.settings import settings_now
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource

# Not at the full hour, when everybody else's clocks strike too.
EVERY_HOUR = "17 * * * *"


@op(description="Exchanges the tokens that were unused for half of the time after which their vendor ends them, the oldest first.")
def keep_tokens_alive(context: OpExecutionContext, postgres: PostgresResource, secrets: SecretsResource) -> None:
    runs, settings = postgres.runs(), settings_now()
    clients = VendorClients(settings, secrets.tokens(runs))
    try:
        done = keep_up(postgres.dispatch(), runs, clients.tokens, open_vault(settings))
    finally:
        clients.close()
    context.add_output_metadata(
        {
            "exchanged": MetadataValue.int(done.exchanged),
            "disconnected": MetadataValue.int(done.disconnected),
            "failed": MetadataValue.int(done.failed),
            "removed": MetadataValue.int(done.removed),
        }
    )


@job(
    name="connection_upkeep",
    executor_def=in_process_executor,
    description=(
        "**Use idle authorisations before their vendor ends them** (Xero after 60 days, Shopify after 90), and remove tokens that no "
        "connection needs. Safe to run at any time."
    ),
)
def connection_upkeep() -> None:
    keep_tokens_alive()


def connection_upkeep_schedule() -> ScheduleDefinition:
    """On from the start: an authorisation that ends needs a person at the client."""
    definition: JobDefinition = connection_upkeep
    return ScheduleDefinition(
        job=definition,
        cron_schedule=EVERY_HOUR,
        default_status=DefaultScheduleStatus.RUNNING,
        description="Uses authorisations that lie idle before their vendor ends them, so that no client has to connect again. Keep it on.",
    )
