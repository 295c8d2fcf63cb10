"""`probe_account`: ask whether a vendor works again for an account that rests. A run, since only workers may open tokens."""

from uuid import UUID

from dagster import Config, Failure, JobDefinition, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.errors import ZixlyError
from zixly_core.probes import Probed, probed
from zixly_core.settings import settings_now
from zixly_core.stores.account_rests import give_up_waiting, note_probe, tell_of_rest
from zixly_core.stores.connections import ConfiguredConnection, connection_in
from zixly_core.stores.database import Database
from zixly_core.stores.settle import RetryPolicy
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.vendors import new_keeper

NAME = "probe_account"
TOLD = {
    Probed.ANSWERED: "It answered: a single job tries next, and the others follow it.",
    Probed.FAILED: "It did not answer; its jobs wait for the next probe.",
    Probed.LEFT_ALONE: "It was not asked: another call tries already, or its time has not come.",
    Probed.DISCONNECTED: "It no longer accepts our authorisation: a person has to connect it again.",
}


class ProbeConfig(Config):
    """Which account, in ids."""

    tenant_id: str = Field(description="Whose account it is.")
    connection_id: str = Field(description="Id of a row in zixly.connections.")


@op(tags={"kind": "postgres"})
def ask_account(context: OpExecutionContext, config: ProbeConfig, postgres: PostgresResource, secrets: SecretsResource) -> None:
    """Read something small; the answer, or that none came, decides when its jobs go on."""
    runs, settings = postgres.runs(), settings_now()
    connection = connection_in(runs, UUID(config.tenant_id), UUID(config.connection_id))
    clients = VendorClients(settings, secrets.tokens(runs), budgets=new_keeper(settings)).in_lane("urgent")
    try:
        outcome = probed(clients, connection)
        clients.keep_call_counts(connection.tenant_id)
    except ZixlyError as error:
        raise Failure(f"The account could not be asked ({error.reason}); it is tried again.", allow_retries=False) from None
    finally:
        clients.close()
    given_up = concluded(runs, connection, outcome)
    context.add_output_metadata({"summary": TOLD[outcome], "outcome": outcome.value, "given_up": given_up})


def concluded(runs: Database, connection: ConfiguredConnection, outcome: Probed) -> int:
    """Write down what came of it; how many jobs have waited for too long and end."""
    is_down = outcome is Probed.FAILED
    note_probe(runs, connection=connection, outcome=outcome.value, failed=is_down)
    if not is_down:
        return 0
    tell_of_rest(runs, connection=connection)
    return give_up_waiting(runs, connection=connection, patience=RetryPolicy.vendor_patience)


@job(
    name=NAME,
    executor_def=in_process_executor,
    description=(
        "**Ask an account whose vendor failed again and again whether it works**, with one small call. Launched by its sensor: after "
        "5 s, 15 s, 1, 5, 15 and 30 minutes, 1, 2 and 4 hours, and then every 4 hours."
    ),
)
def probe_account() -> None:
    ask_account()


def probe_account_job() -> JobDefinition:
    definition: JobDefinition = probe_account
    return definition
