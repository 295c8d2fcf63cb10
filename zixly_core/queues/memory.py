"""A queue in the memory of one process, for tests and for trying things out. Safe to share between threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, islice
from uuid import UUID

from zixly_core.queue import Depth, Message, Queue
from zixly_core.queues.bodies import MAX_IDS
from zixly_core.queues.giving_up import worth_handing_out


@dataclass
class Entry:
    """A message inside the queue: `hidden_until` is the moment (of the queue's clock) from which it may be taken."""

    job_ids: tuple[UUID, ...]
    hidden_until: float = 0.0
    takes: int = 0


@dataclass(frozen=True)
class DeadLetter:
    """A message that was given up."""

    job_ids: tuple[UUID, ...]
    reason: str
    takes: int


@dataclass(frozen=True)
class Contents:
    """What the queue holds; entries by receipt, in the order they were sent."""

    entries: dict[str, Entry] = field(default_factory=dict)
    dead: list[DeadLetter] = field(default_factory=list)


class MemoryQueue:
    """`Queue` without a server."""

    def __init__(self, *, name: str, visibility: timedelta, max_takes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._visibility_seconds = visibility.total_seconds()
        self._max_takes = max_takes
        self._clock = clock
        self._contents = Contents()
        self._numbers = count(1)
        self._changed = threading.Condition()

    def __repr__(self) -> str:
        return f"MemoryQueue(name={self._name!r})"

    @property
    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """What was given up, oldest first."""
        return tuple(self._contents.dead)

    def send(self, job_ids: Sequence[UUID]) -> None:
        with self._changed:
            for start in range(0, len(job_ids), MAX_IDS):
                entry = Entry(job_ids=tuple(job_ids[start : start + MAX_IDS]))
                self._contents.entries[str(next(self._numbers))] = entry
            self._changed.notify_all()

    def take(self, *, limit: int, wait: timedelta) -> list[Message]:
        end = self._clock() + wait.total_seconds()
        while True:
            messages = worth_handing_out(self, self._taken(limit, end), name=self._name, max_takes=self._max_takes)
            if messages or self._clock() >= end:
                return messages

    def settle(self, messages: Sequence[Message]) -> None:
        with self._changed:
            for message in messages:
                self._contents.entries.pop(message.receipt, None)

    def dead_letter(self, messages: Sequence[Message], *, reason: str) -> None:
        with self._changed:
            for message in messages:
                entry = self._contents.entries.pop(message.receipt, None)
                if entry is not None:
                    self._contents.dead.append(DeadLetter(entry.job_ids, reason, message.takes))

    def depth(self) -> Depth:
        with self._changed:
            now = self._clock()
            waiting = sum(entry.hidden_until <= now for entry in self._contents.entries.values())
            taken = len(self._contents.entries) - waiting
            return Depth(waiting=waiting, taken=taken, dead=len(self._contents.dead))

    def close(self) -> None:
        """Nothing is held open."""

    def _taken(self, limit: int, end: float) -> list[Message]:
        """Hide and return what is free, waiting until something is sent, comes back, or the end has come."""
        with self._changed:
            now = self._clock()
            if not self._free(now):
                self._changed.wait(max(min([end, *self._comes_back()]) - now, 0))
                now = self._clock()
            return [self._hidden(receipt, now) for receipt in islice(self._free(now), limit)]

    def _free(self, now: float) -> list[str]:
        return [receipt for receipt, entry in self._contents.entries.items() if entry.hidden_until <= now]

    def _comes_back(self) -> list[float]:
        return [entry.hidden_until for entry in self._contents.entries.values()]

    def _hidden(self, receipt: str, now: float) -> Message:
        entry = self._contents.entries[receipt]
        entry.takes += 1
        entry.hidden_until = now + self._visibility_seconds
        return Message(job_ids=entry.job_ids, receipt=receipt, takes=entry.takes)


def open_from_url(url: str, *, name: str, visibility: timedelta, max_takes: int) -> Queue:
    """`memory://`: a new, empty queue."""
    del url
    return MemoryQueue(name=name, visibility=visibility, max_takes=max_takes)
