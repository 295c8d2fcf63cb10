"""The sensor that keeps the index of payloads up: how long it works at a time, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest

from zixly_core.stores.payload_index import SET, IndexStep
from zixly_dagster.sensors.payload_index import WORK_SECONDS, steps, words_of

pytestmark = pytest.mark.unit


def step(events: int, *, missed: int = 0, seconds: float = 0, is_checking: bool = False) -> IndexStep:
    return IndexStep(events, events * 10, missed, timedelta(seconds=seconds), is_checking)


def given(*made: IndexStep | None) -> Iterator[IndexStep | None]:
    return iter(made)


def test_it_goes_on_until_nothing_is_left() -> None:
    made = given(step(SET), step(SET, is_checking=True), step(3), step(SET))
    assert [one.events for one in steps(lambda: next(made), clock=lambda: 0)] == [SET, SET, 3]


def test_a_long_backlog_leaves_room_for_jobs() -> None:
    seconds = count(0, WORK_SECONDS / 2)
    assert len(steps(lambda: step(SET), clock=lambda: next(seconds))) == 3


def test_it_says_what_it_did() -> None:
    assert words_of([step(0)]) == "Nothing that is old enough is left to index."
    assert words_of([step(SET), step(1)]) == f"Indexed {SET + 1} events."
    assert words_of([step(SET, seconds=4_000)]) == f"Indexed {SET} events; the oldest one left came 4000 s ago."
    assert words_of([step(0, missed=1)]) == "Indexed 0 events; 1 event had been committed late."
    assert words_of(steps(lambda: None)) == "Another code server is at it."
