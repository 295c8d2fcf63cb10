"""The long haul's verdict: what it must see, and what must not move it."""

from __future__ import annotations

from random import Random

import pytest

from chaos.growth import Growth, Kind, growth_of, slope_of
from chaos.haul_picture import picture_of

SECONDS = range(0, 3600, 30)


def grown(kind: Kind, values: list[float]) -> Growth:
    found = growth_of(kind, "worker-1", list(zip(map(float, SECONDS), values, strict=True)))
    assert found is not None
    return found


def test_a_leak_of_a_megabyte_a_minute_is_too_much() -> None:
    random = Random(1)
    found = grown(Kind.MEMORY, [200 + second / 60 + random.gauss(0, 4) for second in SECONDS])
    assert found.is_too_much
    assert found.an_hour == pytest.approx(60, rel=0.1)


def test_memory_that_rises_while_it_warms_up_and_then_stays_is_no_leak() -> None:
    assert not grown(Kind.MEMORY, [min(200 + second / 10, 300) for second in SECONDS]).is_too_much


def test_a_peak_and_a_noisy_level_are_no_growth() -> None:
    for seed in range(20):
        random = Random(seed)
        values = [300 + random.gauss(0, 20) for _ in SECONDS]
        values[-3] = 2_000
        assert not grown(Kind.MEMORY, values).is_too_much


@pytest.mark.parametrize(
    ("kind", "an_hour"),
    [(Kind.FILES, 60), (Kind.CONNECTIONS, 30), (Kind.PROCESSES, 6), (Kind.WAITING, 600), (Kind.KEYS, 200), (Kind.DEAD_SHARE, 0.6)],
)
def test_each_kind_has_a_growth_that_is_too_much(kind: Kind, an_hour: float) -> None:
    assert grown(kind, [an_hour * second / 3600 for second in SECONDS]).is_too_much
    assert not grown(kind, [0.01 * an_hour * second / 3600 for second in SECONDS]).is_too_much


def test_tables_that_grow_with_what_is_kept_are_shown_and_not_judged() -> None:
    assert grown(Kind.ROWS, [10.0 * second for second in SECONDS]).allowed is None


def test_the_vendors_books_may_grow_and_no_part_of_the_platform() -> None:
    points = [(float(second), 100.0 + second / 10) for second in SECONDS]
    judged = {name: growth_of(Kind.MEMORY, name, points) for name in ("sandbox", "bridge", "worker-1")}
    assert [name for name, one in judged.items() if one is not None and one.allowed is None] == ["sandbox"]


def test_a_table_whose_size_grows_faster_than_its_rows_is_bloated() -> None:
    assert grown(Kind.ROW_BYTES, [500 + second / 4 for second in SECONDS]).is_too_much


def test_what_was_seen_too_seldom_says_nothing() -> None:
    assert growth_of(Kind.MEMORY, "bridge", [(0.0, 1.0), (30.0, 2.0)]) is None
    assert growth_of(Kind.MEMORY, "bridge", []) is None


def test_the_slope_is_the_middle_of_all_and_its_lower_end_is_below() -> None:
    assert slope_of([(0, 0), (1, 2), (2, 4)]) == (2, 2)
    slope, least = slope_of([(float(at), 3.0 * at + at * 7 % 11) for at in range(40)])
    assert least < slope
    assert slope == pytest.approx(3, abs=0.3)


def test_the_picture_has_a_line_for_each_process() -> None:
    points = {(Kind.MEMORY, name): [(0.0, 1.0), (60.0, 2.0)] for name in ("bridge", "a<b")}
    picture = picture_of(points, seconds=60)
    assert picture.count("<polyline") == 2
    assert "a&lt;b" in picture
