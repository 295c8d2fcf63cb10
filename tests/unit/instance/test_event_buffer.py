"""Step events wait a moment for company; nothing is lost, and nothing changes places."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from zixly_dagster.instance import event_buffer
from zixly_dagster.instance.event_buffer import MAX_KEPT, EventBuffer


class Written:
    """Remembers what was written together."""

    def __init__(self) -> None:
        self.groups: list[list[Any]] = []
        self.arrived = threading.Event()
        self.broken = False

    def __call__(self, events: Sequence[Any]) -> None:
        if self.broken:
            raise ConnectionError
        self.groups.append(list(events))
        self.arrived.set()


def event(number: int) -> Any:
    return number


def test_events_are_written_together_and_in_order() -> None:
    written = Written()
    buffer = EventBuffer(written)
    for number in range(5):
        buffer.add(event(number))
    buffer.flush()
    assert [one for group in written.groups for one in group] == [0, 1, 2, 3, 4]
    buffer.flush()
    assert sum(map(len, written.groups)) == 5


def test_no_more_than_a_set_number_is_kept_back() -> None:
    written = Written()
    buffer = EventBuffer(written)
    for number in range(MAX_KEPT):
        buffer.add(event(number))
    assert sum(map(len, written.groups)) == MAX_KEPT


def test_events_of_a_long_step_are_written_without_anybody_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_buffer, "FLUSH_SECONDS", 0.01)
    written = Written()
    EventBuffer(written).add(event(1))
    assert written.arrived.wait(5)


def test_what_could_not_be_written_is_written_by_the_next_flush() -> None:
    written = Written()
    buffer = EventBuffer(written)
    written.broken = True
    buffer.add(event(1))
    with pytest.raises(ConnectionError):
        buffer.flush()
    written.broken = False
    buffer.flush()
    assert [1] in written.groups
