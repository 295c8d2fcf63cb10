"""The sandbox as a whole: both vendors, what callers did, what goes wrong, and the webhooks; put together in one place."""

from __future__ import annotations

from random import Random

from zixly_sandbox.clock import Clock
from zixly_sandbox.constants import CLIENTS, Client
from zixly_sandbox.faults import Faults
from zixly_sandbox.hubspot.desk import HubSpotDesk
from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.rules import Rules
from zixly_sandbox.seeding.clients import seeded_client
from zixly_sandbox.usage import CallLog, WriteLog
from zixly_sandbox.webhooks.subscription import Subscription
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.desk import XeroDesk


class Sandbox:
    """All state, in memory. A reset puts new vendors in place of the old ones; rules and webhook address stay."""

    random: Random
    calls: CallLog
    writes: WriteLog
    faults: Faults
    xero: XeroDesk
    hubspot: HubSpotDesk

    def __init__(self, *, clock: Clock, rules: Rules, seed: int, target_url: str, key: str) -> None:
        self.clock = clock
        self.rules = rules
        self.webhook = Subscription(target_url=target_url, key=key, clock=clock, rules=rules.webhooks, random=Random(seed))
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Start over with the data of this seed."""
        self.seed = seed
        self.random = Random(seed)
        self.calls, self.writes, self.faults = CallLog(), WriteLog(), Faults(Random(seed))
        self.webhook.forget()
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
        )

    def _seeded(self, client: Client) -> tuple[Books, Portal]:
        now = self.clock.milliseconds()
        return seeded_client(client, random=self.random, now=now, today=self.clock.now().date())
