from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest

from zixly_dagster.instance.event_buffer import EventBuffer

NEVER = timedelta(hours=1)


class Written:
    """Takes what a buffer writes; can refuse it, or take long over it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.refuses = False
        self.came = threading.Event()

    def __call__(self, events: Sequence[int]) -> None:
        if self.refuses:
            raise RuntimeError("away")
        self.batches.append(list(events))
        self.came.set()

    @property
    def all(self) -> list[int]:
        return [event for batch in self.batches for event in batch]


def test_events_are_kept_until_somebody_flushes() -> None:
    written = Written()
    buffer = EventBuffer(written, longest=NEVER)
    buffer.add(1)
    buffer.add(2)
    assert written.batches == []
    buffer.flush()
    buffer.flush()
    assert written.batches == [[1, 2]]


def test_a_full_buffer_writes_by_itself() -> None:
    written = Written()
    buffer = EventBuffer(written, most=3, longest=NEVER)
    for number in range(7):
        buffer.add(number)
    assert written.batches == [[0, 1, 2], [3, 4, 5]]


def test_the_end_of_the_context_writes_the_rest_also_when_it_ends_by_an_exception() -> None:
    written = Written()

    def execute() -> None:
        with EventBuffer(written, longest=NEVER) as buffer:
            buffer.add(1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute()
    assert written.all == [1]


def test_nothing_is_kept_longer_than_it_may() -> None:
    written = Written()
    with EventBuffer(written, longest=timedelta(milliseconds=20)) as buffer:
        buffer.add(1)
        assert written.came.wait(5)
        assert written.all == [1]


def test_what_could_not_be_written_is_written_by_the_next_flush_in_order() -> None:
    written = Written()
    buffer = EventBuffer(written, longest=NEVER)
    buffer.add(1)
    written.refuses = True
    with pytest.raises(RuntimeError):
        buffer.flush()
    written.refuses = False
    buffer.add(2)
    buffer.flush()
    assert written.all == [1, 2]


def test_threads_that_add_and_flush_lose_nothing_and_double_nothing() -> None:
    written = Written()
    with EventBuffer(written, most=10, longest=timedelta(milliseconds=1)) as buffer:

        def add_many(first: int) -> None:
            for number in range(first, first + 300):
                buffer.add(number)

        adders = [threading.Thread(target=add_many, args=(n * 1000,)) for n in range(4)]
        for adder in adders:
            adder.start()
        for adder in adders:
            adder.join()
    assert len(written.all) == 1200
    for n in range(4):
        own = [event for event in written.all if event // 1000 == n]
        assert own == sorted(own)
        assert len(own) == 300
