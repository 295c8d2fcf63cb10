"""`watch_subscriptions`: look after the webhooks of a tenant's connections. A run, since only workers may open tokens."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from dagster import Config, Failure, JobDefinition, MetadataValue, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.http_client import answers
from zixly_core.settings import settings_now
from zixly_core.stores.watching import WatchState, tenants_named, watched_connections
from zixly_core.vendor_clients import VendorClients
from zixly_core.watching import Watch, check_connection
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.vendors import new_keeper

NAME = "watch_subscriptions"


class WatchConfig(Config):
    """Whose webhooks are looked at."""

    tenant: str = Field(default="", description="A tenant's short name or id; empty for all of them.")
    connections: list[str] = Field(default_factory=list, description="Ids of connections; none for all of the tenant's.")


@op(tags={"kind": "postgres"})
def check_webhooks(context: OpExecutionContext, config: WatchConfig, postgres: PostgresResource, secrets: SecretsResource) -> None:
    """Ask the vendors for our subscriptions, read what changed since the last check, subscribe again, and make jobs for what was missed."""
    runs, settings = postgres.runs(), settings_now()
    tenants = tenants_named(postgres.dispatch(), config.tenant)
    if config.tenant and not tenants:
        raise Failure("There is no tenant of this name.", allow_retries=False)
    clients = VendorClients(settings, secrets.tokens(runs), budgets=new_keeper(settings)).in_lane("bulk")
    states: Counter[str] = Counter()
    try:
        for tenant_id in tenants:
            watch = Watch(
                runs,
                clients,
                tenant_id,
                public_url=settings.bridge_public_url,
                patience=timedelta(seconds=settings.watch_patience_seconds),
                endpoint_answers=lambda: answers(f"{settings.bridge_public_url.rstrip('/')}/health"),
            )
            states.update(checked(watch, config.connections))
            clients.keep_call_counts(tenant_id)
    finally:
        clients.close()
    summary = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "There is nothing to look at."
    context.add_output_metadata({"summary": summary, "checked": MetadataValue.int(states.total())})


def checked(watch: Watch, wanted: Sequence[str]) -> list[str]:
    """Look at the tenant's connections, or at those that were named; the state of each."""
    ids = {UUID(one) for one in wanted}
    found = [one for one in watched_connections(watch.database, watch.tenant_id) if not ids or one.id in ids]
    states: list[WatchState] = [check_connection(watch, one, now=datetime.now(UTC)).state for one in found]
    return [state.value for state in states]


@job(
    name=NAME,
    executor_def=in_process_executor,
    description=(
        "**See whether webhooks still come**: subscriptions that Shopify or Asana deleted are made again, an account that changed without "
        "a webhook (Xero, HubSpot) becomes an issue, and what was missed is read at the source and done.\n\n"
        "Launched every hour for each tenant, soon after a start, when a number in a sequence is missing, and by `zixly watch run`. Safe "
        "to run at any time, as often as you like: nothing is done twice."
    ),
)
def watch_subscriptions() -> None:
    check_webhooks()


def watch_job() -> JobDefinition:
    definition: JobDefinition = watch_subscriptions
    return definition
