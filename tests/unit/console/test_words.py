from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from webhook_bridge.console.words import count, duration, moment

SPANS = [
    (timedelta(milliseconds=420), "420 ms"),
    (3.25, "3.2 s"),
    (60, "1 min"),
    (250, "4 min 10 s"),
    (timedelta(hours=2, minutes=5, seconds=59), "2 h 5 min"),
    (timedelta(days=3, hours=4), "3 d 4 h"),
    (-1, "0 ms"),
    (None, ""),
]


@pytest.mark.parametrize(("span", "text"), SPANS)
def test_a_duration_is_said_in_its_two_largest_units(span: timedelta | float | None, text: str) -> None:
    assert duration(span) == text


def test_moments_are_said_in_utc_and_with_the_year_only_if_it_is_another() -> None:
    brisbane = timezone(timedelta(hours=10))
    assert moment(datetime(2019, 1, 2, 3, 4, 5, tzinfo=brisbane)) == "1 Jan 2019 17:04:05"
    this_year = datetime.now(UTC).year
    said = moment(datetime(this_year, 3, 9, 1, 2, 3, tzinfo=UTC))
    assert said == "9 Mar 01:02:03" or datetime.now(UTC).year > this_year


def test_thousands_stand_apart() -> None:
    assert (count(1_234_567), count(12), count(None)) == ("1\u202f234\u202f567", "12", "")
