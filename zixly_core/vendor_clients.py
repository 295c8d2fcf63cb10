"""The vendors' clients put together from settings: the one place where a process gets a client for a connection from."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from uuid import UUID

from zixly_core.account_limits import limits_of
from zixly_core.api_budget import UNLIMITED, CallBudget
from zixly_core.api_limits import Lane
from zixly_core.budget_keeper import BudgetKeeper
from zixly_core.http_client import ProcessClient
from zixly_core.oauth import OAuthApp, TokenExchange
from zixly_core.settings import Settings
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.systems.asana.oauth import asana_app
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.systems.hubspot.oauth import hubspot_app
from zixly_core.systems.shopify.client import ShopifyClient
from zixly_core.systems.shopify.oauth import shopify_app
from zixly_core.systems.xero.client import XeroClient
from zixly_core.systems.xero.oauth import xero_app
from zixly_core.token_store import Connection, TokenStore
from zixly_core.tokens import TokenKeeper

APPS: Mapping[str, Callable[[Settings], OAuthApp]] = {"xero": xero_app, "hubspot": hubspot_app, "shopify": shopify_app, "asana": asana_app}


class VendorClients:
    """Clients for connections; tokens and HTTP connections are shared by all of them. One for each process, made after a fork."""

    def __init__(
        self,
        settings: Settings,
        store: TokenStore,
        *,
        http: ProcessClient | None = None,
        budgets: BudgetKeeper | None = None,
    ) -> None:
        """Calls count against `budgets`, which all workers share; without them nothing holds calls back, as in tests of a client."""
        self._settings = settings
        self._http = http or ProcessClient.to_vendors(settings)
        self._budgets = budgets
        self._lane: Lane = "live"
        self._tokens = TokenKeeper(store, self._exchange)

    def in_lane(self, lane: Lane) -> VendorClients:
        """The same clients, whose calls are of another lane: those of bulk work leave a part of each limit to live work."""
        same = copy.copy(self)
        same._lane = lane
        return same

    def xero(self, connection: Connection) -> XeroClient:
        return XeroClient(
            self._http.current(),
            base_url=self._settings.xero_api_url,
            tokens=self._tokens.of(connection),
            external_id=connection.external_id,
            budget=self._budget_of(connection),
        )

    def hubspot(self, connection: Connection) -> HubSpotClient:
        return HubSpotClient(
            self._http.current(),
            base_url=self._settings.hubspot_api_url,
            version=self._settings.hubspot_api_version,
            tokens=self._tokens.of(connection),
            external_id=connection.external_id,
            budget=self._budget_of(connection),
        )

    def shopify(self, connection: Connection) -> ShopifyClient:
        return ShopifyClient(
            self._http.current(),
            base_url=self._settings.shopify_api_url,
            version=self._settings.shopify_api_version,
            tokens=self._tokens.of(connection),
            external_id=connection.external_id,
            budget=self._budget_of(connection),
        )

    def asana(self, connection: Connection) -> AsanaClient:
        return AsanaClient(
            self._http.current(),
            base_url=self._settings.asana_api_url,
            tokens=self._tokens.of(connection),
            external_id=connection.external_id,
            budget=self._budget_of(connection),
        )

    @property
    def tokens(self) -> TokenKeeper:
        """The access tokens of all connections, as these clients use them."""
        return self._tokens

    def keep_call_counts(self, tenant_id: UUID) -> None:
        """Write down what was counted of calls so far, on behalf of a tenant."""
        if self._budgets is not None:
            self._budgets.counts.flush(tenant_id)

    def close(self) -> None:
        self._http.close()

    def _budget_of(self, connection: Connection) -> CallBudget:
        if self._budgets is None:
            return UNLIMITED
        settings = connection.settings if isinstance(connection, ConfiguredConnection) else {}
        return self._budgets.of(connection, limits_of(connection.system, settings), lane=self._lane)

    def _exchange(self, system: str) -> TokenExchange:
        return TokenExchange(self._http.current(), APPS[system](self._settings))
