"""A rate, what became of one request under it, and what a store of rates has to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Protocol

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Rate:
    """So many requests in any `window`, of whatever `name` limits."""

    name: str
    limit: int
    window: timedelta = MINUTE


@dataclass(frozen=True)
class Taken:
    """Whether the request is within its rate, and how things stand after it. A request that was refused is not counted."""

    rate: Rate
    is_allowed: bool
    used: int
    reset: timedelta
    """Until the oldest counted request leaves the window, so until one more is allowed."""

    @property
    def remaining(self) -> int:
        return max(self.rate.limit - self.used, 0)

    @property
    def reset_seconds(self) -> int:
        """Whole seconds, rounded up: whoever waits so long is not refused for having come a moment early."""
        return max(ceil(self.reset.total_seconds()), 1)


class RateStore(Protocol):
    """Counts requests. Implementations: memory.py (one process), redis_windows.py (all of them)."""

    def take(self, rate: Rate, subject: str) -> Taken:
        """Count one request of `subject` if it is within the rate. Raises `QueueUnavailable` when nobody can tell."""

    def close(self) -> None: ...
