"""Step events of a run, kept back for a moment and written many at once.

A five-op run writes 35 events. Nobody waits for a step event, so they may share a statement; what changes a run's status is
written at once, after everything that came before it. Only run workers keep events back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog
from dagster import EventLogEntry

MAX_KEPT = 100
FLUSH_SECONDS = 0.5

log = structlog.get_logger()


class EventBuffer:
    """Collects events and gives them to `write` in the order they came. Safe to share between threads."""

    def __init__(self, write: Callable[[Sequence[EventLogEntry]], None]) -> None:
        self._write = write
        self._kept: list[EventLogEntry] = []
        self._lock = threading.RLock()
        self._wakes = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, event: EventLogEntry) -> None:
        with self._lock:
            self._kept.append(event)
            if len(self._kept) >= MAX_KEPT:
                self.flush()
            elif self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._flush_later, name="event-buffer", daemon=True)
                self._thread.start()
        self._wakes.set()

    def flush(self) -> None:
        """Write what is kept. What could not be written is kept, and the next flush tries again."""
        with self._lock:
            if self._kept:
                self._write(self._kept)
                self._kept = []

    def _flush_later(self) -> None:
        """Long steps show their events half a second after they happened at the latest."""
        while self._wakes.wait():
            self._wakes.clear()
            threading.Event().wait(FLUSH_SECONDS)
            try:
                self.flush()
            except Exception as error:  # the next event, or the end of the run, tries again and is heard
                log.warning("events_not_written", error_type=type(error).__name__)
