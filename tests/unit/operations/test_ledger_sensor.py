"""The sensor that compares the ledger: how much it looks at in a go, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count, repeat

import pytest

from zixly_core.stores.ledger_balance import Balanced
from zixly_dagster.sensors.ledger import AGAIN, WORK_SECONDS, steps, words_of

pytestmark = pytest.mark.unit


def one(*, is_new: bool = False, events: int = 0, jobs: int = 0) -> Balanced:
    return Balanced(datetime(2026, 11, 1, tzinfo=UTC), is_new, events, jobs)


def test_what_is_new_is_compared_until_the_time_is_over() -> None:
    seconds = count(0, WORK_SECONDS / 50)
    assert len(steps(lambda: one(is_new=True), clock=lambda: next(seconds))) > 2 * AGAIN


def test_of_what_was_compared_before_a_little_is_compared_again() -> None:
    made = iter([*repeat(one(is_new=True), 3), *repeat(one(), 100)])
    assert len(steps(lambda: next(made), clock=lambda: 0)) == 3 + AGAIN


def test_it_ends_when_everything_was_just_compared() -> None:
    made = iter([one(), None])
    assert len(steps(lambda: next(made), clock=lambda: 0)) == 1


def test_it_says_what_it_found() -> None:
    assert words_of([one(), one()]) == "Compared 2 slices of 5 minutes; it balances."
    assert words_of([one(events=1), one(jobs=2)]) == (
        "Compared 2 slices of 5 minutes: 1 event too many or too few, 2 events without the jobs they were given."
    )
