"""The calls of one token (developers.asana.com/docs/rate-limits): so many a minute, looked at all the time, refused ones included;
and so many at once, reads and writes apart."""

from __future__ import annotations

import math
from collections import deque

from zixly_sandbox.rules import AsanaRules

MINUTE = 60


class Quota:
    """What one token has used."""

    def __init__(self) -> None:
        self._taken: deque[tuple[float, int]] = deque()
        self._used = 0
        self.reads = 0
        self.writes = 0

    def enter(self, now: float, *, reads: int, writes: int, rules: AsanaRules) -> int | None:
        """Count calls and give None, or the seconds to wait. Refused calls count too, so who does not wait stays out."""
        self._forget(now)
        calls = reads + writes
        is_over = self._used + calls > rules.minute_calls
        self._taken.append((now, calls))
        self._used += calls
        if is_over:
            return self._seconds_until_free(now, limit=rules.minute_calls)
        if self.reads + reads > rules.concurrent_reads or self.writes + writes > rules.concurrent_writes:
            return 1
        self.reads += reads
        self.writes += writes
        return None

    def leave(self, *, reads: int, writes: int) -> None:
        self.reads -= reads
        self.writes -= writes

    def _seconds_until_free(self, now: float, *, limit: int) -> int:
        """When enough of what was counted is a minute old."""
        too_many = self._used - limit
        for at, number in self._taken:
            too_many -= number
            if too_many <= 0:
                return max(1, math.ceil(at + MINUTE - now))
        return MINUTE

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0][0] <= now - MINUTE:
            self._used -= self._taken.popleft()[1]
