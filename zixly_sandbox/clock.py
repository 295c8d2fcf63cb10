"""The sandbox's time: the machine's, plus what the admin API has moved it forward by, so that tokens expire on request."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Unix seconds that can be moved forward, never back. `base` is the time underneath; a test passes one that stands still."""

    def __init__(self, base: Callable[[], float] = time.time) -> None:
        self._base = base
        self._offset = 0.0

    def seconds(self) -> float:
        """Unix time in seconds."""
        return self._base() + self._offset

    def wall_milliseconds(self) -> int:
        """Unix time of the machine, for what others compare with a clock of their own."""
        return int(self._base() * 1000)

    def milliseconds(self) -> int:
        """Unix time in whole milliseconds, the resolution of both vendors."""
        return int(self.seconds() * 1000)

    def now(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.milliseconds())

    def advance(self, seconds: float) -> None:
        """Move forward. `ValueError` for a negative number."""
        if seconds < 0:
            raise ValueError("The clock only moves forward.")
        self._offset += seconds


def iso_milliseconds(at: int) -> str:
    """Unix milliseconds as HubSpot writes them: `2026-11-22T09:59:41.902Z`."""
    return (EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
