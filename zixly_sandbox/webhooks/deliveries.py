"""The record of what was sent where, and what came back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

# Older ones are forgotten; a benchmark sends hundreds of thousands.
KEPT = 20_000


class Told(Protocol):
    """What a delivery tells of, in its vendor's words."""

    def document(self) -> dict[str, Any]: ...


class DeliveryState(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    RETRYING = "retrying"
    FAILED = "failed"


@dataclass(frozen=True)
class Attempt:
    """One try: the status, or the name of the error."""

    at: str
    outcome: str
    milliseconds: float


@dataclass
class Delivery:
    """One POST with its tries."""

    id: int
    events: tuple[Told, ...]
    body: bytes = field(repr=False)
    state: DeliveryState = DeliveryState.PENDING
    attempts: list[Attempt] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "state": self.state,
            "events": [event.document() for event in self.events],
            "attempts": [vars(attempt) for attempt in self.attempts],
        }


class DeliveryLog:
    """Deliveries in the order in which they were made."""

    def __init__(self) -> None:
        self._kept: deque[Delivery] = deque(maxlen=KEPT)
        self._made = 0

    def new(self, events: tuple[Told, ...], body: bytes) -> Delivery:
        self._made += 1
        delivery = Delivery(self._made, events, body)
        self._kept.append(delivery)
        return delivery

    def select(self, *, state: DeliveryState | None, limit: int) -> Iterable[Delivery]:
        """The newest first."""
        chosen = (item for item in reversed(self._kept) if state is None or item.state is state)
        return [item for item, _ in zip(chosen, range(limit), strict=False)]

    def counts(self) -> dict[str, int]:
        return {state: sum(1 for item in self._kept if item.state is state) for state in DeliveryState}
