"""What the slots of a worker did, as the children write it and the parent reads it."""

from __future__ import annotations

import os

import pytest

from zixly_dagster.instance import slots as module
from zixly_dagster.instance.run_in_worker import RunEnd
from zixly_dagster.instance.slots import ENDS, Slots


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_slot_is_busy_from_the_beginning_of_a_run_to_its_end(clock: Clock) -> None:
    slots = Slots(2, clock=clock)
    slots.take(0)
    clock.now += 4
    assert (slots.figures().busy, slots.figures().busy_seconds) == (1, 4)
    slots.free(0, "success")
    clock.now += 10
    slots.take(1)
    clock.now += 1
    figures = slots.figures()
    assert (figures.slots, figures.busy, figures.busy_seconds) == (2, 1, 5)
    assert figures.ends == dict.fromkeys(ENDS, 0) | {"success": 1}


def test_a_run_whose_child_was_killed_is_lost_and_its_time_counted(clock: Clock) -> None:
    slots = Slots(1, clock=clock)
    slots.take(0)
    clock.now += 3
    slots.clear(0)
    slots.clear(0)
    figures = slots.figures()
    assert (figures.busy, figures.busy_seconds, figures.ends["lost"]) == (0, 3, 1)


def test_what_children_write_the_parent_reads(clock: Clock) -> None:
    slots = Slots(2, clock=clock)
    for slot in (0, 1):
        child = os.fork()
        if child == 0:
            slots.take(slot)
            slots.free(slot, "failure")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert slots.figures().ends["failure"] == 2


def test_an_execution_that_raises_is_counted_as_broken_and_raises(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "slot_of_this_child", lambda: 0)
    slots = Slots(1, clock=clock)

    def breaks(_: str) -> RunEnd:
        raise OSError("Postgres is away")

    with pytest.raises(OSError, match="Postgres is away"):
        slots.counted(breaks)("run-1")
    assert slots.counted(lambda _: RunEnd.NOT_EXECUTED)("run-2") == "not executed"
    figures = slots.figures()
    assert (figures.busy, figures.ends["broken"], figures.ends["not_executed"]) == (0, 1, 1)


def test_busy_seconds_never_shrink(clock: Clock) -> None:
    slots = Slots(1, clock=clock)
    slots.take(0)
    clock.now += 5
    told = slots.figures().busy_seconds
    clock.now -= 1  # as if the end were read before its seconds were added
    assert slots.figures().busy_seconds == told
