"""The outside systems. One folder each; one line here makes it real: route, settings, metric labels and contract tests follow."""

from __future__ import annotations

from zixly_core.system import System
from zixly_core.systems.asana.receive import AsanaProfile
from zixly_core.systems.callbacks.receive import CallbacksProfile
from zixly_core.systems.hubspot.receive import HubSpotProfile
from zixly_core.systems.shopify.receive import ShopifyProfile
from zixly_core.systems.xero.receive import XeroProfile

XERO_KEYS = ("xero_webhook_keys",)
HUBSPOT_SECRETS = ("hubspot_app_secrets", "hubspot_client_secret")
SHOPIFY_SECRETS = ("shopify_app_secrets", "shopify_client_secret")
CALLBACK_PATHS = ("callbacks/{token}", "trading-sweep", "trading-sweep/{token}")

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System("xero", "Xero", XeroProfile(), paths=("xero", "xero-invoice"), secrets_settings=XERO_KEYS),
        System("hubspot", "HubSpot", HubSpotProfile(), paths=("hubspot", "hubspot-deal"), secrets_settings=HUBSPOT_SECRETS),
        System("shopify", "Shopify", ShopifyProfile(), paths=("shopify", "shopify-order"), secrets_settings=SHOPIFY_SECRETS),
        System("asana", "Asana", AsanaProfile(), paths=("asana/{token}",)),
        System(
            "callbacks",
            "Callbacks (Standard Webhooks)",
            CallbacksProfile(),
            paths=CALLBACK_PATHS,
            content_types=("application/json",),
        ),
    )
}
