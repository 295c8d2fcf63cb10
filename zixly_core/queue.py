"""The queue, in our words: a wake-up that carries job ids. Postgres is the truth, so a queue may forget, double or reorder.

Back ends are in `queues/`, chosen by the scheme of a URL; one contract suite runs on all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Message:
    """Some job ids, and the right to acknowledge them."""

    job_ids: tuple[UUID, ...]
    receipt: str
    takes: int
    """How often this message has been handed out, this time included."""


@dataclass(frozen=True)
class Depth:
    """How many messages wait, are taken but not settled, and were given up."""

    waiting: int
    taken: int
    dead: int
    oldest_seconds: float | None = field(default=None, compare=False)
    """How long the oldest message has been there, 0 when none is; None where the back end does not tell."""


class Queue(Protocol):
    """Send, take, settle. Every call raises `QueueUnavailable` when the server cannot be reached, within a second or so."""

    def send(self, job_ids: Sequence[UUID]) -> None:
        """Put the ids on the queue, as many in one message as the back end likes."""

    def take(self, *, limit: int, wait: timedelta) -> list[Message]:
        """Up to `limit` messages; waits at most `wait` for the first. What is not settled comes back after a while."""

    def settle(self, messages: Sequence[Message]) -> None:
        """Forget these messages: their jobs are in hand. Settling twice, or too late, does nothing."""

    def dead_letter(self, messages: Sequence[Message], *, reason: str) -> None:
        """Give these messages up: keep their ids and the reason where an operator sees them, and never hand them out again."""

    def depth(self) -> Depth:
        """Counts for the metrics; approximate on SQS."""

    def close(self) -> None:
        """Give connections back."""
