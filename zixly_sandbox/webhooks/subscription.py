"""The app's webhook at Xero: where events go, how they gather into deliveries, what happens when the endpoint fails.

Retries follow Xero's newer page: at once, then every 15 minutes for 24 hours; then the webhook is disabled. Events pile up
meanwhile, are kept for 31 days and are sent in order once it is enabled again.
Pages: developer.xero.com/documentation/guides/webhooks/overview/ .
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

import httpx2
import structlog

from zixly_sandbox.clock import Clock
from zixly_sandbox.rules import WebhookRules
from zixly_sandbox.webhooks.deliveries import Delivery, DeliveryLog
from zixly_sandbox.webhooks.message import Event, body_of, entropy, headers_for
from zixly_sandbox.webhooks.outbox import Letter, Outbox

logger = structlog.get_logger()


class WebhookState(StrEnum):
    """Whether events are sent."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class Subscription:
    """Sends events in the background while its `run` is awaited."""

    def __init__(self, *, target_url: str, key: str, clock: Clock, rules: WebhookRules, random: Random) -> None:
        self.target_url = target_url
        self.key = key
        self._clock = clock
        self._rules = rules
        self._random = random
        self._sequences = itertools.count(1)
        self._events: deque[Event] = deque()
        self._to_replay = 0
        self._to_lose = 0
        self._outbox = Outbox(self, clock=clock)

    @property
    def state(self) -> WebhookState:
        return WebhookState.ENABLED if self._outbox.is_open else WebhookState.DISABLED

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
        """One at a time while what piled up is sent in its order."""
        return 1 if self._to_replay > 0 else self._rules.parallel

    def emit(self, organisation: str, category: str, record_id: str, kind: str, data: Mapping[str, str] | None = None) -> None:
        """A record changed. An event that is to be lost gets its number, behind those of the events before it."""
        if self._to_lose > 0:
            self._to_lose -= 1
            self._pack()
            self.lose(1)
            return
        self._events.append(Event(organisation, category, record_id, kind, self._clock.now(), data))
        self._outbox.wake()

    def deliver(self, events: Sequence[Event]) -> Delivery:
        """One delivery of exactly these events, to be sent as soon as possible."""
        first = next(self._sequences)
        for _ in events[1:]:
            next(self._sequences)
        body = body_of(events, first_sequence=first, entropy=entropy(self._random))
        delivery = self.log.new(tuple(events), body)
        self._outbox.put(delivery)
        return delivery

    def lose(self, count: int) -> None:
        """Use up numbers of events that are never sent."""
        for _ in range(count):
            next(self._sequences)

    def lose_next(self, count: int) -> None:
        """Lose the events of the next changes on their way."""
        self._to_lose += count

    def enable(self) -> None:
        """Send again, what piled up first and in order; what is older than 31 days is gone."""
        oldest = self._clock.now() - timedelta(seconds=self._rules.keep_seconds)
        kept = [item for item in self._outbox.waiting if is_fresh(item, oldest)]
        self._outbox.waiting.clear()
        self._outbox.waiting.extend(kept)
        while self._events and self._events[0].at < oldest:
            self._events.popleft()
        self._pack()
        self._to_replay = len(self._outbox.waiting)
        self._outbox.is_open = True
        self._outbox.wake()

    def disable(self) -> None:
        self._outbox.is_open = False

    def forget(self) -> None:
        """Drop what waits and what was recorded, and be enabled as at the start."""
        self._events.clear()
        self._to_replay = 0
        self._to_lose = 0
        self._outbox.forget()

    async def run(self, client: httpx2.AsyncClient) -> None:
        """Send until cancelled."""
        await self._outbox.run(client)

    async def gather(self) -> None:
        """Put the events of a short while into deliveries."""
        if self._events:
            await asyncio.sleep(self._rules.gather_seconds)
            self._pack()

    def letter(self, delivery: Delivery) -> Letter:
        """Each try has the same body."""
        if not delivery.attempts:
            self._to_replay = max(0, self._to_replay - 1)
        return Letter(self.target_url, delivery.body, headers_for(delivery.body, key=self.key))

    def waits(self) -> Iterator[float]:
        """At once, then at intervals."""
        rules, waited = self._rules, 0.0
        yield 0
        while waited < rules.give_up_after_seconds:
            yield rules.retry_every_seconds * rules.time_scale
            waited += rules.retry_every_seconds

    def gave_up(self, delivery: Delivery) -> None:
        """The webhook is switched off; the delivery is the first that goes out when it is on again."""
        self._outbox.put(delivery, first=True)
        self.disable()
        logger.warning("sandbox_webhook_disabled", delivery_id=delivery.id)

    def _pack(self) -> None:
        """All waiting events into deliveries, each with as many as one may hold."""
        while self._events:
            count = min(len(self._events), max(1, self._rules.events_per_delivery))
            self.deliver([self._events.popleft() for _ in range(count)])


def is_fresh(delivery: Delivery, oldest: datetime) -> bool:
    """Whether a delivery has an event that is still kept."""
    return any(isinstance(event, Event) and event.at >= oldest for event in delivery.events)
