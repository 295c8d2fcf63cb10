"""How many rejected requests are kept: enough to look into a mistake, never enough to fill the disk."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

# A burst is kept whole, so that a sender's wrong secret can be mended and its deliveries verified again.
REQUESTS_AT_ONCE, REQUESTS_PER_SECOND = 200.0, 5.0
# 20 kB/s are 1.7 GB a day, the most that a flood can store of each system.
BYTES_AT_ONCE, BYTES_PER_SECOND = 20_000_000.0, 20_000.0


class TokenBucket:
    """Holds up to `size` tokens and gains `per_second`."""

    def __init__(self, *, size: float, per_second: float, clock: Callable[[], float] = monotonic) -> None:
        self._size = size
        self._per_second = per_second
        self._clock = clock
        self._left = size
        self._at = clock()

    def has(self, tokens: float) -> bool:
        """Whether so many are there now."""
        now = self._clock()
        self._left = min(self._size, self._left + (now - self._at) * self._per_second)
        self._at = now
        return self._left >= tokens

    def take(self, tokens: float) -> None:
        self._left -= tokens


class KeptRejections:
    """Decides for each system whether one more rejected request is kept."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[TokenBucket, TokenBucket]] = {}

    def may_keep(self, system: str, *, size_bytes: int) -> bool:
        """Whether this one is kept; counts it when it is. `system` is one of ours, so the buckets are few."""
        if system not in self._buckets:
            self._buckets[system] = (
                TokenBucket(size=REQUESTS_AT_ONCE, per_second=REQUESTS_PER_SECOND, clock=self._clock),
                TokenBucket(size=BYTES_AT_ONCE, per_second=BYTES_PER_SECOND, clock=self._clock),
            )
        requests, volume = self._buckets[system]
        if not (requests.has(1) and volume.has(size_bytes)):
            return False
        requests.take(1)
        volume.take(size_bytes)
        return True
