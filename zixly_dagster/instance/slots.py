"""What the slots of a worker did: written by the children that execute runs, read by the parent that is scraped.

Memory that parent and children share, with a row for each slot that only the child in this slot writes: nothing is locked, so a
child that is killed leaves nothing locked, and its figures are not lost with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from multiprocessing.sharedctypes import RawArray

from billiard.process import current_process
from prometheus_client import Metric
from prometheus_client.registry import Collector

from zixly_core import metrics
from zixly_core.metrics import counter_family, gauge_family
from zixly_dagster.instance.run_in_worker import RunEnd

LOST = "lost"
ENDS = (*(end.name.lower() for end in RunEnd), LOST)
# Of each slot: since when it is taken (0: it is free), how long it was, and how often a run ended in each way.
SINCE, BUSY, FIRST_END = 0, 1, 2
WIDTH = FIRST_END + len(ENDS)


@dataclass(frozen=True)
class SlotFigures:
    """One reading, over all slots."""

    slots: int
    busy: int
    busy_seconds: float
    ends: Mapping[str, int]


class Slots:
    """Made in the parent before it forks."""

    def __init__(self, count: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is one that all processes of the machine share."""
        self._count = count
        self._clock = clock
        self._figures = RawArray("d", count * WIDTH)
        self._told = 0.0

    def counted(self, execute: Callable[[str], RunEnd]) -> Callable[[str], str]:
        """The same function, with its time and its end counted for the slot of the child that calls it."""

        def execute_run(run_id: str) -> str:
            slot = slot_of_this_child()
            self.take(slot)
            end = RunEnd.BROKEN
            try:
                end = execute(run_id)
            finally:
                self.free(slot, end.name.lower())
            return end

        return execute_run

    def take(self, slot: int) -> None:
        """A run begins in the slot. One that still stands there went with the child that had it."""
        self.clear(slot)
        self._figures[slot * WIDTH + SINCE] = self._clock()

    def free(self, slot: int, end: str) -> None:
        row = slot * WIDTH
        seconds = self._clock() - self._figures[row + SINCE]
        self._figures[row + SINCE] = 0
        self._figures[row + BUSY] += seconds
        self._figures[row + FIRST_END + ENDS.index(end)] += 1

    def clear(self, slot: int) -> None:
        """A new child has this slot."""
        if self._figures[slot * WIDTH + SINCE]:
            self.free(slot, LOST)

    def figures(self) -> SlotFigures:
        """As they stand. Busy seconds never shrink, also not when a slot is read in the middle of being freed."""
        now, rows = self._clock(), [self._figures[slot * WIDTH : (slot + 1) * WIDTH] for slot in range(self._count)]
        taken = [row[SINCE] for row in rows if row[SINCE]]
        self._told = max(self._told, sum(row[BUSY] for row in rows) + sum(now - since for since in taken))
        return SlotFigures(
            slots=self._count,
            busy=len(taken),
            busy_seconds=self._told,
            ends={end: int(sum(row[FIRST_END + number] for row in rows)) for number, end in enumerate(ENDS)},
        )


class SlotsCollector(Collector):
    """The slots as metrics."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    def collect(self) -> Iterable[Metric]:
        figures = self._slots.figures()
        slots, busy = gauge_family(metrics.WORKER_SLOTS), gauge_family(metrics.WORKER_BUSY)
        seconds, runs = counter_family(metrics.WORKER_BUSY_SECONDS), counter_family(metrics.WORKER_RUNS)
        slots.add_metric([], figures.slots)
        busy.add_metric([], figures.busy)
        seconds.add_metric([], figures.busy_seconds)
        for end, number in figures.ends.items():
            runs.add_metric([end], number)
        return slots, busy, seconds, runs


def slot_of_this_child() -> int:
    """Celery's pool gives each child the number of its place, and a child that replaces another the other's."""
    return int(current_process().index)
