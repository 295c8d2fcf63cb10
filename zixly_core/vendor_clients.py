"""The vendors' clients put together from settings: the one place where a process gets a client for a connection from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zixly_core.api_budget import OnBudget, ignore_budget
from zixly_core.http_client import ProcessClient
from zixly_core.oauth import OAuthApp, TokenExchange
from zixly_core.settings import Settings
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.systems.hubspot.oauth import hubspot_app
from zixly_core.systems.xero.client import XeroClient
from zixly_core.systems.xero.oauth import xero_app
from zixly_core.token_store import Connection, TokenStore
from zixly_core.tokens import TokenKeeper

APPS: Mapping[str, Callable[[Settings], OAuthApp]] = {"xero": xero_app, "hubspot": hubspot_app}


class VendorClients:
    """Clients for connections; tokens and HTTP connections are shared by all of them. One for each process, made after a fork."""

    def __init__(
        self, settings: Settings, store: TokenStore, *, http: ProcessClient | None = None, on_budget: OnBudget = ignore_budget
    ) -> None:
        self._settings = settings
        self._http = http or ProcessClient()
        self._on_budget = on_budget
        self._tokens = TokenKeeper(store, self._exchange)

    def xero(self, connection: Connection) -> XeroClient:
        return XeroClient(
            self._http.current(),
            base_url=self._settings.xero_api_url,
            tokens=self._tokens.of(connection),
            external_id=connection.external_id,
            on_budget=self._on_budget,
        )

    def hubspot(self, connection: Connection) -> HubSpotClient:
        return HubSpotClient(
            self._http.current(),
            base_url=self._settings.hubspot_api_url,
            version=self._settings.hubspot_api_version,
            tokens=self._tokens.of(connection),
            external_id=connection.external_id,
            on_budget=self._on_budget,
        )

    def close(self) -> None:
        self._http.close()

    def _exchange(self, system: str) -> TokenExchange:
        return TokenExchange(self._http.current(), APPS[system](self._settings))
