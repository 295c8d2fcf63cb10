"""A sender that means well, measured while others do not: a signed delivery of its own every few milliseconds."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2

from tests.integration.bridge.running import XERO_KEY
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION

PAUSE_SECONDS = 0.02
# Vendors wait for five seconds; so that a busy machine fails no test, twice that counts as an answer.
PATIENCE_SECONDS = 10.0
# For a p99 to say something.
ENOUGH = 100


@dataclass
class Honest:
    """What the sender was answered, and how long it took."""

    statuses: Counter[int | str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        return 1_000 * sorted(self.seconds)[int(0.99 * (len(self.seconds) - 1))]

    def was_served(self) -> None:
        assert set(self.statuses) == {200}, self.statuses
        assert self.has_sent_enough, "hardly anything was sent"

    @property
    def has_sent_enough(self) -> bool:
        return len(self.seconds) >= ENOUGH

    def say(self, what: str) -> None:
        """For docs/reliability/hostile-input.md: `pytest -s` shows it."""
        median = 1_000 * sorted(self.seconds)[len(self.seconds) // 2]
        print(f"{what}: {len(self.seconds)} honest deliveries, median {median:.1f} ms, p99 {self.p99_ms:.1f} ms")


@contextmanager
def honest_sender(address: str) -> Iterator[Honest]:
    """Sends for as long as the block lasts."""
    over, told = threading.Event(), Honest()
    thread = threading.Thread(target=keep_sending, args=(address, told, over), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join(timeout=2 * PATIENCE_SECONDS)


def keep_sending(address: str, told: Honest, over: threading.Event) -> None:
    with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as http:
        while not over.wait(PAUSE_SECONDS):
            body = xero_body(xero_event(ORGANISATION))
            began = time.monotonic()
            try:
                status: int | str = http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)).status_code
            except httpx2.TransportError as error:
                status = type(error).__name__
            told.statuses[status] += 1
            told.seconds.append(time.monotonic() - began)
