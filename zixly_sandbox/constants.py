"""Made-up names that others may rely on: the app, the accounts, the first refresh tokens, the records of the recorded
deliveries. Nothing here is a secret; all of it exists in the sandbox only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class App:
    """The agency's app, the same at all vendors."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class Client:
    """One client company: its accounts at the vendors, and a refresh token for each."""

    slug: str
    name: str
    country: str
    currency: str
    organisation: str
    xero_refresh: str
    portal: str
    hubspot_refresh: str
    shop: str
    shopify_refresh: str
    workspace: str
    asana_refresh: str
    project: str
    """The workspace's project that tasks are followed in."""


APP = App("sandbox-client", "sandbox-secret")

DEMO = Client(
    slug="demo",
    name="Demo Company (AU)",
    country="AU",
    currency="AUD",
    organisation="c2cc9b6e-9458-4c7d-93cc-f02b81b0594f",
    xero_refresh="sandbox-xero-refresh",
    portal="62515",
    hubspot_refresh="sandbox-hubspot-refresh",
    shop="zixly-demo.myshopify.com",
    shopify_refresh="sandbox-shopify-refresh",
    workspace="1200000000000001",
    asana_refresh="sandbox-asana-refresh",
    project="1203333333333301",
)
SECOND = Client(
    slug="second",
    name="Sunny Coast Surf Hire (NZ)",
    country="NZ",
    currency="NZD",
    organisation="aef86862-2015-4b6b-88bc-d89032cecc50",
    xero_refresh="sandbox-xero-refresh-second",
    portal="62516",
    hubspot_refresh="sandbox-hubspot-refresh-second",
    shop="sunny-coast-surf.myshopify.com",
    shopify_refresh="sandbox-shopify-refresh-second",
    workspace="1200000000000002",
    asana_refresh="sandbox-asana-refresh-second",
    project="1203333333333302",
)
CLIENTS = (DEMO, SECOND)

# The key that the recorded deliveries are signed with. Used as text although it looks like base64.
WEBHOOK_KEY = "dGVzdC1vbmx5LXhlcm8td2ViaG9vay1zaWduaW5nLWtleS1mb3ItZml4dHVyZXMtMDE="

# Records that the recorded deliveries and requests name. The first invoice is paid, by a contact that HubSpot knows too.
PAID_INVOICE = "8694c9c5-7097-4449-a708-b8c1982921a4"
PART_PAID_INVOICE = "0f5a1f4e-5f2c-4d8c-9a53-0d1f6c7a9b10"
OPEN_INVOICE = "3e6c2f57-3d0c-4b1d-8f61-7c2b6b8f7a21"
ADA_IN_XERO = "430fa14a-f945-44d3-9f97-5df5e28441b8"
CONTACT_OF_SECOND = "717f2bfc-c6d4-41fd-b238-3f2f0c0cf777"
ADA_EMAIL = "ada.lovelace@example.test"
ADA_IN_HUBSPOT = "901"
GRACE_EMAIL = "grace.hopper@example.test"
GRACE_IN_HUBSPOT = "902"
DEAL = "17812345601"
ADAS_COMPANY = "951"
# Order #1001 of the demo shop, paid by Ada, and a task in the demo project.
ORDER = 5678901234567
TASK = "1202222222222201"

DEFAULT_SEED = 1
