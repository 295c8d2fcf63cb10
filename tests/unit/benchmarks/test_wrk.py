"""When a load gives a figure."""

from __future__ import annotations

import pytest

from benchmarks.errors import NotMeasured
from benchmarks.figures import slope
from benchmarks.wrk import Load, refuse_losses


def seen(*, requests: int = 1_000, refused: int = 0, lost: int = 0) -> Load:
    return Load(requests=requests, seconds=2.0, p50_ms=1.0, p99_ms=2.0, refused=refused, lost=lost)


def test_answers_that_are_rows_give_a_rate_and_what_was_under_way_at_the_end_may_be_there_too() -> None:
    refuse_losses(seen(), rows=1_064, connections=64)
    assert seen().per_second == 500


@pytest.mark.parametrize(
    ("load", "rows"), [(seen(), 999), (seen(), 1_065), (seen(refused=1), 1_000), (seen(lost=1), 1_000)], ids=["lost", "more", "no", "gone"]
)
def test_an_acknowledged_delivery_without_a_row_or_one_that_was_not_taken_gives_none(load: Load, rows: int) -> None:
    with pytest.raises(NotMeasured):
        refuse_losses(load, rows=rows, connections=64)


def test_a_slope_is_the_growth_for_one_of_the_first_number() -> None:
    assert slope([(0, 100), (1, 102), (2, 104)]) == pytest.approx(2)
    assert slope([(1, 100)]) is None
