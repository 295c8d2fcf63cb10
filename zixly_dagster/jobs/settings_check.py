"""`settings_check`: compare a connection's saved settings with what its vendors have. A run, since only workers may open tokens."""

from datetime import datetime
from uuid import UUID

from dagster import Config, Failure, JobDefinition, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.connection_settings import HubSpotSettings, ShopifySettings, XeroSettings, settings_in
from zixly_core.errors import Permanent, ZixlyError
from zixly_core.settings import settings_now
from zixly_core.settings_check import deal_problems, invoice_problems, order_problems
from zixly_core.stores.connections import ConfiguredConnection, connection_in, has_partner, partner_of_connection
from zixly_core.stores.database import Database
from zixly_core.stores.settings_checks import note_checked
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.systems.xero.client import XeroClient
from zixly_core.vendor_clients import VendorClients
from zixly_dagster.resources.postgres import PostgresResource
from zixly_dagster.resources.secrets import SecretsResource
from zixly_dagster.resources.vendors import new_keeper

NAME = "settings_check"


class CheckConfig(Config):
    """Whose settings, in ids."""

    tenant_id: str = Field(description="Whose connection it is.")
    connection_id: str = Field(description="Id of a row in zixly.connections.")
    saved_at: str = Field(description="When the settings were saved that are looked at.")


@op(tags={"kind": "postgres"})
def compare_settings(context: OpExecutionContext, config: CheckConfig, postgres: PostgresResource, secrets: SecretsResource) -> None:
    """Ask the vendors for accounts, tax types, stages and properties; raise one issue that names what is not there."""
    runs, settings = postgres.runs(), settings_now()
    checked = connection_in(runs, UUID(config.tenant_id), UUID(config.connection_id))
    clients = VendorClients(settings, secrets.tokens(runs), budgets=new_keeper(settings)).in_lane("bulk")
    try:
        problems = Accounts(runs, clients, checked).problems()
    except Permanent as error:
        problems = [str(error)]
    except ZixlyError as error:
        raise Failure(f"The vendors could not be asked now ({error.reason}); it is tried again.", allow_retries=False) from None
    finally:
        clients.close()
    note_checked(runs, checked, saved_at=datetime.fromisoformat(config.saved_at), problems=problems)
    context.add_output_metadata({"summary": " ".join(problems) or "Everything that the settings name is there.", "problems": len(problems)})


class Accounts:
    """A connection and the partner accounts that its workflows write to."""

    def __init__(self, runs: Database, clients: VendorClients, checked: ConfiguredConnection) -> None:
        self._runs = runs
        self._clients = clients
        self._checked = checked

    def problems(self) -> list[str]:
        """What the settings name and the vendors do not have. Systems without such settings have no problems."""
        settings, connection_id = self._checked.settings, self._checked.id
        match self._checked.system:
            case "xero":
                return invoice_problems(settings_in(XeroSettings, settings, connection_id=connection_id), self._portal())
            case "hubspot":
                portal = self._clients.hubspot(self._checked)
                return deal_problems(settings_in(HubSpotSettings, settings, connection_id=connection_id), portal, self._books())
            case "shopify":
                return order_problems(settings_in(ShopifySettings, settings, connection_id=connection_id), self._books(), self._portal())
            case _:
                return []

    def _books(self) -> XeroClient | None:
        partner = self._partner("xero")
        return self._clients.xero(partner) if partner is not None else None

    def _portal(self) -> HubSpotClient | None:
        partner = self._partner("hubspot")
        return self._clients.hubspot(partner) if partner is not None else None

    def _partner(self, system: str) -> ConfiguredConnection | None:
        if not has_partner(self._runs, self._checked, system=system):
            return None
        return partner_of_connection(self._runs, self._checked, system=system)


@job(
    name=NAME,
    executor_def=in_process_executor,
    description=(
        "**Compare a connection's settings with what its vendors have**: accounts and tax types in Xero, stages and properties in HubSpot. "
        "Launched by its sensor after settings were saved; what does not fit becomes an issue."
    ),
)
def settings_check() -> None:
    compare_settings()


def settings_check_job() -> JobDefinition:
    definition: JobDefinition = settings_check
    return definition
