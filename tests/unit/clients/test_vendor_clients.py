"""Clients for connections, put together from settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest
from pydantic import SecretStr

from tests.unit.clients.vendor import Vendor, answered
from zixly_core.errors import SettingsError
from zixly_core.http_client import ProcessClient
from zixly_core.settings import Settings
from zixly_core.stores.tokens import MemoryTokenStore
from zixly_core.token_store import Connection, TokenSet
from zixly_core.vendor_clients import VendorClients

XERO = Connection(id=UUID(int=1), tenant_id=UUID(int=9), system="xero", external_id="organisation-1")
HUBSPOT = Connection(id=UUID(int=2), tenant_id=UUID(int=9), system="hubspot", external_id="62515")
SHOPIFY = Connection(id=UUID(int=3), tenant_id=UUID(int=9), system="shopify", external_id="zixly-demo.myshopify.com")
ASANA = Connection(id=UUID(int=4), tenant_id=UUID(int=9), system="asana", external_id="1200000000000001")


def settings() -> Settings:
    return Settings(
        xero_client_id="xero-app",
        xero_client_secret=SecretStr("xero-secret"),
        xero_api_url="http://sandbox.test/xero/api.xro/2.0",
        xero_identity_url="http://sandbox.test/xero/identity",
        hubspot_client_id="hubspot-app",
        hubspot_client_secret=SecretStr("hubspot-secret"),
        hubspot_api_url="http://sandbox.test/hubspot",
        shopify_api_url="http://sandbox.test/shopify/{shop}",
        asana_api_url="http://sandbox.test/asana/api/1.0",
    )


def any_answer(request: httpx2.Request) -> httpx2.Response:
    if request.url.path.endswith("/token"):
        return answered({"access_token": "fresh", "refresh_token": "r2", "expires_in": 1800})
    if "hubspot" in request.url.path:
        return answered({"results": []}, headers={"X-HubSpot-RateLimit-Remaining": "9"})
    if "shopify" in request.url.path:
        return answered({"data": {"nodes": []}})
    return answered({"data": []} if "asana" in request.url.path else {"Invoices": []})


def store() -> MemoryTokenStore:
    made = MemoryTokenStore()
    made.put(XERO, TokenSet("good", "r1", datetime.now(UTC) + timedelta(minutes=30)))
    made.put(HUBSPOT, TokenSet(None, "r1", None))
    for connection in (SHOPIFY, ASANA):
        made.put(connection, TokenSet(connection.system, "r1", datetime.now(UTC) + timedelta(minutes=30)))
    return made


def test_each_connection_is_called_at_its_vendor_with_its_own_token() -> None:
    vendor = Vendor(any_answer)
    clients = VendorClients(settings(), store(), http=ProcessClient(lambda: vendor.http))
    clients.xero(XERO).invoices_by_ids(["8694c9c5-7097-4449-a708-b8c1982921a4"])
    clients.hubspot(HUBSPOT).contacts_by_email(["ada@example.test"])
    assert [f"{request.url.path} {request.headers.get('authorization')}" for request in vendor.requests] == [
        "/xero/api.xro/2.0/Invoices Bearer good",
        "/hubspot/oauth/2026-09/token None",
        "/hubspot/crm/objects/2026-09/contacts/batch/read Bearer fresh",
    ]
    clients.close()
    assert vendor.http.is_closed


def test_tokens_are_shared_by_all_clients_of_a_connection() -> None:
    vendor = Vendor(any_answer)
    clients = VendorClients(settings(), store(), http=ProcessClient(lambda: vendor.http))
    for _ in range(3):
        clients.hubspot(HUBSPOT).contacts_by_email(["ada@example.test"])
    assert [request.url.path.endswith("/token") for request in vendor.requests].count(True) == 1


def test_an_app_that_is_not_set_is_named_when_a_token_has_to_be_exchanged() -> None:
    clients = VendorClients(Settings(), store(), http=ProcessClient(lambda: Vendor(any_answer).http))
    with pytest.raises(SettingsError, match="ZIXLY_HUBSPOT_CLIENT_ID"):
        clients.hubspot(HUBSPOT).contacts_by_email(["ada@example.test"])


def test_a_shop_and_a_workspace_are_called_where_the_settings_say() -> None:
    vendor = Vendor(any_answer)
    clients = VendorClients(settings(), store(), http=ProcessClient(lambda: vendor.http))
    assert clients.shopify(SHOPIFY).orders_by_ids(["1"]) == []
    assert list(clients.asana(ASANA).projects()) == []
    shop, workspace = vendor.requests
    assert shop.url.path == "/shopify/zixly-demo.myshopify.com/admin/api/2026-10/graphql.json"
    assert shop.headers["x-shopify-access-token"] == "shopify"
    assert (workspace.url.path, workspace.url.params["workspace"]) == ("/asana/api/1.0/projects", "1200000000000001")
    assert workspace.headers["authorization"] == "Bearer asana"
