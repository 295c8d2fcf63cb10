"""Counters of calls: Xero's windows are fixed, HubSpot's burst rolls."""

from __future__ import annotations

import math
import zlib
from collections import deque


class FixedWindow:
    """So many calls in each window of `seconds`; the windows begin at a moment of their own for each account, as Xero's do."""

    def __init__(self, *, seconds: float, account: str) -> None:
        self._seconds = seconds
        self._shift = zlib.crc32(account.encode()) % seconds
        self._window = 0
        self._used = 0

    def take(self, now: float, *, limit: int) -> bool:
        """Count one call; False, and nothing counted, when the window is full."""
        self._turn(now)
        if self._used >= limit:
            return False
        self._used += 1
        return True

    def remaining(self, now: float, *, limit: int) -> int:
        self._turn(now)
        return max(0, limit - self._used)

    def seconds_left(self, now: float) -> int:
        """Whole seconds until the next window, at least 1."""
        return max(1, math.ceil(self._seconds - (now - self._shift) % self._seconds))

    def _turn(self, now: float) -> None:
        window = int((now - self._shift) // self._seconds)
        if window != self._window:
            self._window, self._used = window, 0


class RollingWindow:
    """So many calls in any span of the given length."""

    def __init__(self) -> None:
        self._taken: deque[float] = deque()

    def take(self, now: float, *, limit: int, seconds: float) -> bool:
        """Count one call; False, and nothing counted, when the span before `now` is full."""
        self._forget(now, seconds)
        if len(self._taken) >= limit:
            return False
        self._taken.append(now)
        return True

    def remaining(self, now: float, *, limit: int, seconds: float) -> int:
        self._forget(now, seconds)
        return max(0, limit - len(self._taken))

    def _forget(self, now: float, seconds: float) -> None:
        while self._taken and self._taken[0] <= now - seconds:
            self._taken.popleft()
