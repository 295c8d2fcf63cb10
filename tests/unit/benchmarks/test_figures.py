"""The arithmetic of the benchmarks."""

from __future__ import annotations

import pytest

from benchmarks.figures import Span, median, per_minute, percentile, ratio


@pytest.mark.parametrize(("percent", "expected"), [(50, 10.0), (95, 19.0), (100, 20.0), (1, 1.0)])
def test_a_percentile_is_the_nearest_rank(percent: int, expected: float) -> None:
    assert percentile([float(number) for number in range(20, 0, -1)], percent) == expected


def test_what_never_came_counts_as_slower_than_everything_that_came() -> None:
    assert percentile([3.0, None, 1.0, None], 50) == 3.0
    assert percentile([3.0, None, 1.0, None], 75) is None


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 50) is None


def test_the_rate_is_over_the_time_from_the_first_creation_to_the_last_end() -> None:
    spans = [Span(created=105.0, ended=110.0), Span(created=100.0, ended=130.0), Span(created=101.0, ended=102.0)]
    assert per_minute(spans) == pytest.approx(6.0)


@pytest.mark.parametrize("spans", [[], [Span(created=5.0, ended=5.0)]])
def test_no_runs_and_no_time_have_no_rate(spans: list[Span]) -> None:
    assert per_minute(spans) is None


def test_a_repetition_that_gave_nothing_leaves_no_median() -> None:
    assert median([1.0, 9.0, 2.0]) == 2.0
    assert median([1.0, None, 2.0]) is None
    assert median([]) is None


@pytest.mark.parametrize(("ours", "theirs", "expected"), [(30.0, 10.0, 3.0), (None, 10.0, None), (30.0, None, None), (30.0, 0.0, None)])
def test_a_ratio_needs_both_sides(ours: float | None, theirs: float | None, expected: float | None) -> None:
    assert ratio(ours, theirs) == expected
