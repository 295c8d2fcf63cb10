"""When the load generator sends."""

from __future__ import annotations

from benchmarks.deliveries import moments


def test_each_interval_of_the_rate_has_one_delivery() -> None:
    assert [int(moment * 2) for moment in moments(50, per_second=2.0)] == list(range(50))


def test_deliveries_are_out_of_step_with_whatever_looks_once_a_second() -> None:
    phases = {int(moment % 1 * 4) for moment in moments(20, per_second=1.0)}
    assert phases == {0, 1, 2, 3}


def test_both_instances_are_sent_deliveries_at_the_same_moments() -> None:
    assert moments(20, per_second=1.0) == moments(20, per_second=1.0)


def test_without_a_rate_everything_is_sent_at_once() -> None:
    assert moments(3, per_second=None) == [0.0, 0.0, 0.0]
