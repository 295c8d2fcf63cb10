"""Deliveries on their way: so many at once, each tried again as its vendor does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import httpx2

from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.webhooks.deliveries import Attempt, Delivery, DeliveryLog, DeliveryState


@dataclass(frozen=True)
class Letter:
    """One try of a delivery, as it goes out."""

    url: str
    body: bytes
    headers: dict[str, str]


class Sender(Protocol):
    """How one vendor sends."""

    @property
    def answer_seconds(self) -> float:
        """How long the receiver may take."""

    @property
    def parallel(self) -> int:
        """Tries in progress at one time; retries wait beside them."""

    async def gather(self) -> None:
        """Put waiting events into deliveries."""

    def letter(self, delivery: Delivery) -> Letter:
        """The next try; `delivery.attempts` tells of those before."""

    def waits(self) -> Iterable[float]:
        """Seconds before each further try; the vendor gives up after the last."""

    def gave_up(self, delivery: Delivery) -> None:
        """The last try failed."""


class Outbox:
    """Sends in the background while its `run` is awaited."""

    def __init__(self, sender: Sender, *, clock: Clock) -> None:
        self.is_open = True
        self.log = DeliveryLog()
        self._sender = sender
        self._clock = clock
        self._ready: deque[Delivery] = deque()
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: set[int] = set()

    @property
    def waiting(self) -> deque[Delivery]:
        """Deliveries of which no try has begun."""
        return self._ready

    def put(self, delivery: Delivery, *, first: bool = False) -> None:
        """Send it as soon as possible."""
        (self._ready.appendleft if first else self._ready.append)(delivery)
        self.wake()

    def wake(self) -> None:
        self._wake.set()

    def forget(self) -> None:
        """Drop what waits and what was recorded, and be open as at the start."""
        self.is_open = True
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
                if self.is_open:
                    await self._sender.gather()
                while self._ready and self.is_open and len(self._sending) < max(1, self._sender.parallel):
                    self._start(self._ready.popleft(), client=client)
        finally:
            for task in self._tasks:
                task.cancel()

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
        if not taken and not await self._retried(delivery, client=client):
            delivery.state = DeliveryState.FAILED
            self._sender.gave_up(delivery)

    async def _retried(self, delivery: Delivery, *, client: httpx2.AsyncClient) -> bool:
        """False when the vendor gives up."""
        delivery.state = DeliveryState.RETRYING
        for seconds in self._sender.waits():
            await asyncio.sleep(seconds)
            if await self._attempt(delivery, client=client):
                return True
        return False

    async def _attempt(self, delivery: Delivery, *, client: httpx2.AsyncClient) -> bool:
        """POST once. Any 2xx in time is a success."""
        started = asyncio.get_running_loop().time()
        letter = self._sender.letter(delivery)
        outcome = await post(client, letter.url, body=letter.body, headers=letter.headers, seconds=self._sender.answer_seconds)
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
