"""The sandbox as a whole: the vendors, what callers did, what goes wrong, and the webhooks; put together in one place."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import httpx2

from zixly_sandbox.asana.desk import AsanaDesk
from zixly_sandbox.clock import Clock
from zixly_sandbox.constants import CLIENTS, Client
from zixly_sandbox.courier import Courier
from zixly_sandbox.faults import Faults
from zixly_sandbox.hubspot.desk import HubSpotDesk
from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.hubspot.webhooks import HubSpotWebhooks
from zixly_sandbox.rules import Rules
from zixly_sandbox.seeding.clients import seeded_client
from zixly_sandbox.seeding.shops import seeded_shop
from zixly_sandbox.seeding.workspaces import seeded_workspace
from zixly_sandbox.shopify.desk import ShopifyDesk
from zixly_sandbox.shopify.hooks import HookTarget
from zixly_sandbox.slack.desk import SlackDesk
from zixly_sandbox.sweeps.desk import SweepsDesk
from zixly_sandbox.usage import CallLog, WriteLog
from zixly_sandbox.webhooks.subscription import Subscription
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.desk import XeroDesk

SEEDS_AGE_MS = 7 * 86_400_000


class Sandbox:
    """All state, in memory. A reset puts new vendors in place of the old ones; rules and webhook address stay."""

    random: Random
    calls: CallLog
    writes: WriteLog
    faults: Faults
    xero: XeroDesk
    hubspot: HubSpotDesk
    shopify: ShopifyDesk
    asana: AsanaDesk
    sweeps: SweepsDesk
    slack: SlackDesk

    def __init__(
        self,
        *,
        clock: Clock,
        rules: Rules,
        seed: int,
        target_url: str,
        key: str,
        hubspot_url: str,
        hubspot_public_url: str,
        hubspot_secret: str,
        shopify_target: HookTarget,
        base_url: str,
        client: Callable[[], httpx2.AsyncClient],
    ) -> None:
        self.clock = clock
        self.rules = rules
        self.webhook = Subscription(target_url=target_url, key=key, clock=clock, rules=rules.webhooks, random=Random(seed))
        self.hubspot_webhook = HubSpotWebhooks(
            target_url=hubspot_url,
            signed_url=hubspot_public_url,
            secret=hubspot_secret,
            clock=clock,
            rules=rules.hubspot_webhooks,
            random=Random(seed),
        )
        self.shopify_target = shopify_target
        self.base_url = base_url
        self.client = client
        self.shopify_courier = Courier(clock=clock, time_scale=lambda: rules.webhooks.time_scale, parallel=lambda: rules.shopify.parallel)
        self.asana_courier = Courier(clock=clock, time_scale=lambda: rules.webhooks.time_scale, parallel=lambda: rules.asana.parallel)
        self.sweep_workers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sweep")
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Start over with the data of this seed."""
        self.seed = seed
        self.random = Random(seed)
        self.calls, self.writes, self.faults = CallLog(), WriteLog(), Faults(Random(seed))
        self.webhook.forget()
        self.hubspot_webhook.forget()
        self.shopify_courier.forget()
        self.asana_courier.forget()
        seeded = [(client, *self._seeded(client)) for client in CLIENTS]
        self.xero = XeroDesk(
            [(books, client.xero_refresh) for client, books, _ in seeded],
            clock=self.clock,
            rules=self.rules.xero,
            writes=self.writes,
            on_change=self.webhook.emit,
        )
        self.hubspot = HubSpotDesk(
            [(portal, client.hubspot_refresh) for client, _, portal in seeded],
            clock=self.clock,
            rules=self.rules.hubspot,
            writes=self.writes,
            on_change=self.hubspot_webhook.emit,
        )
        self.shopify = ShopifyDesk(
            [(seeded_shop(client, random=self.random, now=self._long_ago()), client.shopify_refresh) for client in CLIENTS],
            clock=self.clock,
            rules=self.rules.shopify,
            writes=self.writes,
            target=self.shopify_target,
            courier=self.shopify_courier,
            base_url=lambda: self.base_url,
        )
        self.asana = AsanaDesk(
            [(seeded_workspace(client, random=self.random, now=self._long_ago()), client.asana_refresh) for client in CLIENTS],
            clock=self.clock,
            rules=self.rules.asana,
            writes=self.writes,
            courier=self.asana_courier,
            random=self.random,
            client=self.client,
        )
        self.slack = SlackDesk(clock=self.clock)
        self.sweeps = SweepsDesk(clock=self.clock, rules=self.rules.sweeps, writes=self.writes, seed=seed, workers=self.sweep_workers)

    def _seeded(self, client: Client) -> tuple[Books, Portal]:
        return seeded_client(client, random=self.random, now=self._long_ago(), today=self.clock.now().date())

    def _long_ago(self) -> int:
        """When what is there from the start last changed: nothing tells of it, so it must not look like news that got lost."""
        return self.clock.milliseconds() - SEEDS_AGE_MS
