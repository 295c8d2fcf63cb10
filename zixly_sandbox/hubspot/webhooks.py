"""The app's webhooks at HubSpot: what is subscribed to, how events gather, and ten more tries within 24 hours. Nothing is ever
switched off. Page: developers.hubspot.com/docs/api/webhooks ."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import httpx2

from zixly_sandbox.clock import Clock
from zixly_sandbox.hubspot.changes import Change
from zixly_sandbox.hubspot.webhook_message import HubSpotEvent, OlderVersion, body_of, headers_for
from zixly_sandbox.rules import HubSpotWebhookRules
from zixly_sandbox.webhooks.deliveries import Delivery, DeliveryLog
from zixly_sandbox.webhooks.outbox import Letter, Outbox

# Seconds before each further try. HubSpot tells their number and that they spread over 24 hours; the steps are ours.
RETRY_AFTER = (60, 300, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, 21_600)
JITTER = 0.1


@dataclass(frozen=True)
class Subscribed:
    """One subscription of the app, for all accounts that installed it. Changes of properties are subscribed to one by one."""

    id: int
    object_type: str
    kind: str
    property_name: str = ""

    def fits(self, change: Change) -> bool:
        return (self.object_type, self.kind, self.property_name) == (change.object_type, change.kind, change.property_name)


DEFAULT = (
    ("deals", "creation", ""),
    ("deals", "deletion", ""),
    ("deals", "propertyChange", "dealstage"),
    ("deals", "propertyChange", "amount"),
    ("contacts", "creation", ""),
    ("contacts", "deletion", ""),
    ("contacts", "propertyChange", "email"),
    ("contacts", "propertyChange", "firstname"),
    ("contacts", "propertyChange", "lastname"),
    ("companies", "creation", ""),
    ("companies", "deletion", ""),
    ("companies", "propertyChange", "name"),
)
FIRST_ID, FIRST_EVENT = 3_301_270, 3_816_279_340


class HubSpotWebhooks:
    """Sends events in the background while its `run` is awaited."""

    def __init__(self, *, target_url: str, signed_url: str, secret: str, clock: Clock, rules: HubSpotWebhookRules, random: Random) -> None:
        """`signed_url` is the address that the app is configured with and that the signature covers; deliveries go to
        `target_url`, as they do behind a proxy."""
        self.target_url = target_url
        self.signed_url = signed_url
        self.secret = secret
        self.older: OlderVersion = "v1"
        self.subscribed = numbered(DEFAULT)
        self._clock = clock
        self._rules = rules
        self._random = random
        self._event_ids = itertools.count(FIRST_EVENT)
        self._events: deque[HubSpotEvent] = deque()
        self._outbox = Outbox(self, clock=clock)

    @property
    def log(self) -> DeliveryLog:
        return self._outbox.log

    @property
    def waiting_events(self) -> int:
        """Events that are in no delivery yet."""
        return len(self._events)

    @property
    def answer_seconds(self) -> float:
        return self._rules.answer_seconds

    @property
    def parallel(self) -> int:
        return self._rules.parallel

    def emit(self, changes: Sequence[Change]) -> None:
        """Records changed; what nobody subscribed to is passed over."""
        for change in changes:
            for subscription in self.subscribed:
                if subscription.fits(change):
                    self._events.append(self.event(change, subscription_id=subscription.id))
        if self._events:
            self._outbox.wake()

    def event(self, change: Change, *, subscription_id: int | None = None, event_id: int | None = None) -> HubSpotEvent:
        """The event of a change, under the subscription that fits it where none is given."""
        fitting = next((item.id for item in self.subscribed if item.fits(change)), FIRST_ID)
        number = next(self._event_ids) if event_id is None else event_id
        return HubSpotEvent(number, subscription_id or fitting, self._clock.wall_milliseconds(), change)

    def deliver(self, events: Sequence[HubSpotEvent]) -> Delivery:
        """One delivery of exactly these events, to be sent as soon as possible."""
        delivery = self.log.new(tuple(events), body_of(events, attempt=0))
        self._outbox.put(delivery)
        return delivery

    def forget(self) -> None:
        """Drop what waits and what was recorded, and be subscribed as at the start."""
        self._events.clear()
        self._outbox.forget()
        self.subscribed = numbered(DEFAULT)

    async def run(self, client: httpx2.AsyncClient) -> None:
        """Send until cancelled."""
        await self._outbox.run(client)

    async def gather(self) -> None:
        """Put the events of a short while into deliveries, each account's into its own."""
        if not self._events:
            return
        await asyncio.sleep(self._rules.gather_seconds)
        by_portal: dict[str, list[HubSpotEvent]] = defaultdict(list)
        while self._events:
            event = self._events.popleft()
            by_portal[event.change.portal].append(event)
        size = max(1, self._rules.events_per_delivery)
        for events in by_portal.values():
            for start in range(0, len(events), size):
                self.deliver(events[start : start + size])

    def letter(self, delivery: Delivery) -> Letter:
        """Each try tells its number in the body and is signed with the time of sending."""
        events = [event for event in delivery.events if isinstance(event, HubSpotEvent)]
        body = body_of(events, attempt=len(delivery.attempts))
        headers = headers_for(body, url=self.signed_url, secret=self.secret, now_ms=self._clock.wall_milliseconds(), older=self.older)
        return Letter(self.target_url, body, headers)

    def waits(self) -> Iterator[float]:
        for seconds in RETRY_AFTER:
            yield seconds * self._random.uniform(1 - JITTER, 1 + JITTER) * self._rules.time_scale

    def gave_up(self, delivery: Delivery) -> None:
        """The delivery is lost; `delivery.state` says so, and nobody is told."""


def numbered(rows: Sequence[tuple[str, str, str]]) -> list[Subscribed]:
    return [Subscribed(FIRST_ID + number, *row) for number, row in enumerate(rows)]
