"""The queue in memory: for tests, and to read what a queue has to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from zixly_core.queue import Depth, Message

VISIBILITY = timedelta(seconds=30)
MAX_TAKES = 10


@dataclass
class _Entry:
    job_ids: tuple[UUID, ...]
    number: int
    visible_at: float = 0.0
    takes: int = 0


@dataclass
class DeadLetter:
    """A message that was given up."""

    job_ids: tuple[UUID, ...]
    reason: str
    takes: int


@dataclass
class MemoryQueue:
    """One process only. `clock` gives seconds."""

    visibility: timedelta = VISIBILITY
    max_takes: int = MAX_TAKES
    clock: Callable[[], float] = time.monotonic
    dead: list[DeadLetter] = field(default_factory=list)
    _entries: dict[int, _Entry] = field(default_factory=dict)
    _last: int = 0
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    def send(self, job_ids: Sequence[UUID]) -> None:
        if not job_ids:
            return
        with self._arrived:
            self._last += 1
            self._entries[self._last] = _Entry(tuple(job_ids), self._last)
            self._arrived.notify_all()

    def take(self, *, limit: int, wait: timedelta) -> list[Message]:
        with self._arrived:
            taken = self._visible(limit)
            if not taken and wait:
                self._arrived.wait(wait.total_seconds())
                taken = self._visible(limit)
            return taken

    def settle(self, messages: Sequence[Message]) -> None:
        with self._arrived:
            for message in messages:
                entry = self._entries.get(number_of(message))
                if entry is not None and entry.takes == takes_of(message):
                    del self._entries[entry.number]

    def dead_letter(self, messages: Sequence[Message], *, reason: str) -> None:
        with self._arrived:
            for message in messages:
                entry = self._entries.pop(number_of(message), None)
                if entry is not None:
                    self.dead.append(DeadLetter(entry.job_ids, reason, entry.takes))

    def depth(self) -> Depth:
        with self._arrived:
            hidden = sum(1 for entry in self._entries.values() if entry.visible_at > self.clock())
            return Depth(waiting=len(self._entries) - hidden, taken=hidden, dead=len(self.dead))

    def close(self) -> None:
        """Nothing to give back."""

    def _visible(self, limit: int) -> list[Message]:
        messages: list[Message] = []
        for entry in list(self._entries.values()):
            if len(messages) == limit:
                break
            if entry.visible_at > self.clock():
                continue
            if entry.takes >= self.max_takes:
                self.dead.append(DeadLetter(entry.job_ids, "taken too often", entry.takes))
                del self._entries[entry.number]
                continue
            entry.takes += 1
            entry.visible_at = self.clock() + self.visibility.total_seconds()
            messages.append(Message(entry.job_ids, receipt=f"{entry.number}:{entry.takes}", takes=entry.takes))
        return messages


def number_of(message: Message) -> int:
    return int(message.receipt.partition(":")[0])


def takes_of(message: Message) -> int:
    return int(message.receipt.partition(":")[2])
