"""Every client through its whole work, against the sandbox over the network."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.support import vendor_flows
from tests.support.outgoing import HERE
from tests.support.running_sandbox import running_sandbox
from tests.support.vendor_accounts import SandboxTokens, handshake_target
from zixly_core.http_client import new_client
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.systems.hubspot.client import HubSpotClient
from zixly_core.systems.shopify.client import ShopifyClient
from zixly_core.systems.xero.client import XeroClient
from zixly_sandbox.constants import DEMO

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """The address of a sandbox."""
    with running_sandbox() as url:
        yield url


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with new_client(HERE) as made:
        yield made


def test_xeros_client_does_its_work(sandbox: str, http: httpx2.Client) -> None:
    tokens = SandboxTokens(sandbox, "xero")
    client = XeroClient(http, base_url=f"{sandbox}/xero/api.xro/2.0", tokens=tokens, external_id=DEMO.organisation)
    vendor_flows.xero_reads(client)
    vendor_flows.xero_writes(client)


@pytest.mark.parametrize("version", ["2026-09", "v3"])
def test_hubspots_client_does_its_work_in_each_version(sandbox: str, http: httpx2.Client, version: str) -> None:
    tokens = SandboxTokens(sandbox, "hubspot")
    client = HubSpotClient(http, base_url=f"{sandbox}/hubspot", version=version, tokens=tokens, external_id=DEMO.portal)
    vendor_flows.hubspot_reads(client)
    vendor_flows.hubspot_writes(client)


def test_asanas_client_does_its_work(sandbox: str, http: httpx2.Client) -> None:
    tokens = SandboxTokens(sandbox, "asana")
    client = AsanaClient(http, base_url=f"{sandbox}/asana/api/1.0", tokens=tokens, external_id=DEMO.workspace)
    vendor_flows.asana_tasks(client)
    with handshake_target() as target:
        vendor_flows.asana_webhooks(client, target=target)


def test_shopifys_client_does_its_work(sandbox: str, http: httpx2.Client) -> None:
    tokens = SandboxTokens(sandbox, "shopify")
    base_url = f"{sandbox}/shopify/{{shop}}"
    client = ShopifyClient(http, base_url=base_url, version="2026-10", tokens=tokens, external_id=DEMO.shop)
    vendor_flows.shopify_reads(client)
    vendor_flows.shopify_subscriptions(client)
