"""Rates of one process, in its memory: for a bridge without a Redis, and for the time that the Redis is away."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import timedelta

from zixly_core.rates.rate import Rate, Taken

MAX_SUBJECTS = 10_000  # the least recently heard ones are forgotten


class MemoryRates:
    """`RateStore` in memory. Safe to share between threads."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, rate: Rate, subject: str) -> Taken:
        with self._lock:
            now, times = self._clock(), self._times_of((rate.name, subject))
            seconds = rate.window.total_seconds()
            while times and times[0] <= now - seconds:
                times.popleft()
            is_allowed = len(times) < rate.limit
            if is_allowed:
                times.append(now)
            reset = times[0] + seconds - now if times else seconds
            return Taken(rate, is_allowed, used=len(times), reset=timedelta(seconds=reset))

    def close(self) -> None:
        """Nothing is held open."""

    def _times_of(self, key: tuple[str, str]) -> deque[float]:
        times = self._times.setdefault(key, deque())
        self._times.move_to_end(key)
        if len(self._times) > MAX_SUBJECTS:
            self._times.popitem(last=False)
        return times
