"""Events of a run in progress, kept back for a moment and written many at once.

A five-op run writes 35 events. Nobody waits for a step event, so they may share a statement; whoever adds one that somebody waits for
flushes. A process that is killed loses half a second of its run's story at most; that the run ended is told by the sweep.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Generic, TypeVar

import structlog

MOST = 100
LONGEST = timedelta(seconds=0.5)

log = structlog.get_logger()
T = TypeVar("T")


class EventBuffer(Generic[T]):
    """Gives what was added to `write`, in the order it came. Safe to share between threads; as a context it flushes at the end."""

    def __init__(self, write: Callable[[Sequence[T]], None], *, most: int = MOST, longest: timedelta = LONGEST) -> None:
        self._write = write
        self._most = most
        self._longest = longest
        self._kept: list[T] = []
        self._writing = threading.Lock()
        self._ended = threading.Event()

    def __enter__(self) -> EventBuffer[T]:
        threading.Thread(target=self._flush_now_and_then, name="event-buffer", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self.flush()

    def add(self, event: T) -> None:
        self._kept.append(event)
        if len(self._kept) >= self._most:
            self.flush()

    def flush(self) -> None:
        """Write what is kept. What could not be written stays and is tried again by the next flush; the error is the writer's."""
        with self._writing:
            count = len(self._kept)
            if count:
                self._write(self._kept[:count])
                del self._kept[:count]

    def _flush_now_and_then(self) -> None:
        """A step that takes long shows what it did before."""
        while not self._ended.wait(self._longest.total_seconds()):
            try:
                self.flush()
            except Exception as error:  # the next flush tries again, and the last one is heard by the run
                log.warning("events_not_written", error_type=type(error).__name__)
