"""The app's webhook at Xero: where events go, how they gather into deliveries, what happens when the endpoint fails.

Retries follow Xero's newer page: at once, then every 15 minutes for 24 hours; then the webhook is disabled. Events pile up
meanwhile and are sent once it is enabled again. Pages: developer.xero.com/documentation/guides/webhooks/overview/ .
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from random import Random

import httpx2
import structlog

from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.rules import WebhookRules
from zixly_sandbox.webhooks.deliveries import Attempt, Delivery, DeliveryLog, DeliveryState
from zixly_sandbox.webhooks.message import Event, body_of, entropy, headers_for

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
        self.state = WebhookState.ENABLED
        self.log = DeliveryLog()
        self._clock = clock
        self._rules = rules
        self._random = random
        self._sequences = itertools.count(1)
        self._events: deque[Event] = deque()
        self._ready: deque[Delivery] = deque()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: set[int] = set()

    @property
    def waiting_events(self) -> int:
        """Events that are in no delivery yet."""
        return len(self._events)

    def emit(self, organisation: str, category: str, record_id: str, kind: str) -> None:
        """A record changed."""
        self._events.append(Event(organisation, category, record_id, kind, self._clock.now()))
        self._wake.set()

    def deliver(self, events: Sequence[Event]) -> Delivery:
        """One delivery of exactly these events, to be sent as soon as possible."""
        first = next(self._sequences)
        for _ in events[1:]:
            next(self._sequences)
        body = body_of(events, first_sequence=first, entropy=entropy(self._random))
        delivery = self.log.new(tuple(events), body)
        self._ready.append(delivery)
        self._wake.set()
        return delivery

    def enable(self) -> None:
        """Send again, what piled up first."""
        self.state = WebhookState.ENABLED
        self._wake.set()

    def disable(self) -> None:
        self.state = WebhookState.DISABLED

    def forget(self) -> None:
        """Drop what waits and what was recorded, and be enabled as at the start."""
        self.state = WebhookState.ENABLED
        self._events.clear()
        self._ready.clear()
        for task in self._tasks:
            task.cancel()
        self._sending.clear()
        self.log = DeliveryLog()

    async def run(self, client: httpx2.AsyncClient) -> None:
        """Send until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._gather()
                while self._ready and self.state is WebhookState.ENABLED and len(self._sending) < max(1, self._rules.parallel):
                    self._start(self._ready.popleft(), client=client)
        finally:
            for task in self._tasks:
                task.cancel()

    async def _gather(self) -> None:
        """Put the events of a short while into deliveries, each with as many as one may hold."""
        if not self._events or self.state is WebhookState.DISABLED:
            return
        await asyncio.sleep(self._rules.gather_seconds)
        while self._events:
            count = min(len(self._events), max(1, self._rules.events_per_delivery))
            self.deliver([self._events.popleft() for _ in range(count)])

    def _start(self, delivery: Delivery, *, client: httpx2.AsyncClient) -> None:
        self._sending.add(delivery.id)
        task = asyncio.create_task(self._send_until_taken(delivery, client=client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_until_taken(self, delivery: Delivery, *, client: httpx2.AsyncClient) -> None:
        """Retries wait beside the others, as the vendor's do."""
        try:
            taken = await self._attempt(delivery, client=client)
        finally:
            self._sending.discard(delivery.id)
            self._wake.set()
        if not taken and await self._retry(delivery, client=client) is False:
            delivery.state = DeliveryState.FAILED
            self._ready.appendleft(delivery)
            self.disable()
            logger.warning("sandbox.webhook_disabled", delivery=delivery.id)

    async def _retry(self, delivery: Delivery, *, client: httpx2.AsyncClient) -> bool:
        """At once, then at intervals. False when the time is over."""
        rules, waited = self._rules, 0.0
        delivery.state = DeliveryState.RETRYING
        while not await self._attempt(delivery, client=client):
            if waited >= rules.give_up_after_seconds:
                return False
            await asyncio.sleep(rules.retry_every_seconds * rules.time_scale)
            waited += rules.retry_every_seconds
        return True

    async def _attempt(self, delivery: Delivery, *, client: httpx2.AsyncClient) -> bool:
        """POST once. Any 2xx in time is a success."""
        started = asyncio.get_running_loop().time()
        outcome = await post(
            client,
            self.target_url,
            body=delivery.body,
            headers=headers_for(delivery.body, key=self.key),
            seconds=self._rules.answer_seconds,
        )
        elapsed = (asyncio.get_running_loop().time() - started) * 1000
        taken = isinstance(outcome, httpx2.Response) and outcome.is_success
        told = str(outcome.status_code) if isinstance(outcome, httpx2.Response) else outcome
        delivery.attempts.append(Attempt(iso_milliseconds(self._clock.milliseconds()), told, round(elapsed, 1)))
        if taken:
            delivery.state = DeliveryState.DELIVERED
        return taken


async def post(client: httpx2.AsyncClient, url: str, *, body: bytes, headers: dict[str, str], seconds: float) -> httpx2.Response | str:
    """The answer, or the name of what went wrong."""
    try:
        async with asyncio.timeout(seconds):
            return await client.post(url, content=body, headers=headers)
    except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
        return type(error).__name__
