"""Sends deliveries of webhooks in the background, each tried again after the waits that its vendor gives."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
import structlog

from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.webhooks.deliveries import Attempt, DeliveryState
from zixly_sandbox.webhooks.outbox import post

logger = structlog.get_logger()

# Older deliveries are forgotten; a benchmark sends hundreds of thousands.
KEPT = 20_000

Outcome = httpx2.Response | str
"""The answer, or the name of what went wrong."""


@dataclass
class Parcel:
    """One POST: what is sent, how long it may take, after which waits (seconds) it is tried again, and who hears how it ended."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    about: Mapping[str, str | int]
    """What the list of deliveries tells of it."""
    answer_seconds: float
    waits: Iterable[float]
    on_end: Callable[[bool], None]
    statuses: frozenset[int] | None = None
    """The answers that count as taken; None: any 2xx."""
    id: int = 0
    state: DeliveryState = DeliveryState.PENDING
    attempts: list[Attempt] = field(default_factory=list)

    def is_taken(self, outcome: Outcome) -> bool:
        if isinstance(outcome, str):
            return False
        return outcome.is_success if self.statuses is None else outcome.status_code in self.statuses

    def document(self) -> dict[str, Any]:
        return {"id": self.id, "state": self.state, **self.about, "url": self.url, "attempts": [vars(item) for item in self.attempts]}


class Courier:
    """A vendor's sender. Parcels wait until `run` is awaited; no more than `parallel` first tries are under way at once."""

    def __init__(self, *, clock: Clock, time_scale: Callable[[], float], parallel: Callable[[], int]) -> None:
        self._clock = clock
        self._time_scale = time_scale
        self._parallel = parallel
        self._ids = itertools.count(1)
        self._ready: deque[Parcel] = deque()
        self._kept: deque[Parcel] = deque(maxlen=KEPT)
        self._sending = 0
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, parcel: Parcel) -> None:
        """As soon as possible."""
        parcel.id = next(self._ids)
        self._kept.append(parcel)
        self._ready.append(parcel)
        self._wake.set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside the deliveries, until it ends or all is forgotten."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def scaled_sleep(self, seconds: float) -> None:
        """Wait for a time of the vendor's, shortened by the rules; a moment at least."""
        await asyncio.sleep(max(0.001, self.scaled(seconds)))

    def scaled(self, seconds: float) -> float:
        return seconds * self._time_scale()

    def select(self, *, state: DeliveryState | None = None, limit: int = 100) -> list[Parcel]:
        """The newest first."""
        chosen = (item for item in reversed(self._kept) if state is None or item.state is state)
        return list(itertools.islice(chosen, limit))

    def counts(self) -> dict[str, int]:
        return {state: sum(1 for item in self._kept if item.state is state) for state in DeliveryState}

    def forget(self) -> None:
        """Drop what waits, what is under way and what was recorded."""
        self._ready.clear()
        self._kept.clear()
        for task in self._tasks:
            task.cancel()
        self._sending = 0

    async def run(self, client: httpx2.AsyncClient) -> None:
        """Send until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._ready and self._sending < max(1, self._parallel()):
                    self._sending += 1
                    self.spawn(self._deliver(self._ready.popleft(), client=client))
        finally:
            for task in self._tasks:
                task.cancel()

    async def _deliver(self, parcel: Parcel, *, client: httpx2.AsyncClient) -> None:
        """Retries wait beside the other parcels."""
        try:
            is_taken = await self._attempt(parcel, client=client)
        finally:
            self._sending = max(0, self._sending - 1)
            self._wake.set()
        if not is_taken:
            is_taken = await self._retried(parcel, client=client)
        parcel.state = DeliveryState.DELIVERED if is_taken else DeliveryState.FAILED
        parcel.on_end(is_taken)

    async def _retried(self, parcel: Parcel, *, client: httpx2.AsyncClient) -> bool:
        """False when all tries failed."""
        parcel.state = DeliveryState.RETRYING
        for wait in parcel.waits:
            await self.scaled_sleep(wait)
            if await self._attempt(parcel, client=client):
                return True
        logger.warning("sandbox_delivery_given_up", delivery_id=parcel.id, tries=len(parcel.attempts))
        return False

    async def _attempt(self, parcel: Parcel, *, client: httpx2.AsyncClient) -> bool:
        started = asyncio.get_running_loop().time()
        outcome = await post(client, parcel.url, body=parcel.body, headers=dict(parcel.headers), seconds=parcel.answer_seconds)
        elapsed = round((asyncio.get_running_loop().time() - started) * 1000, 1)
        told = outcome if isinstance(outcome, str) else str(outcome.status_code)
        parcel.attempts.append(Attempt(iso_milliseconds(self._clock.milliseconds()), told, elapsed))
        return parcel.is_taken(outcome)
