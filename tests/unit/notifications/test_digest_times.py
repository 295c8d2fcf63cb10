"""When digests are due: once a day by local time, also where the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from zixly_core.errors import SettingsError
from zixly_core.notifications.digest_times import due_digest, moment, zone_named, zone_or

pytestmark = pytest.mark.unit

SYDNEY = ZoneInfo("Australia/Sydney")
BRISBANE = ZoneInfo("Australia/Brisbane")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
# Sydney puts its clocks forward at 02:00 on 4 October 2026, and back at 03:00 on 4 April 2027.
FORWARD, BACK = date(2026, 10, 4), date(2027, 4, 4)


def lengths(day: date, *, at: time) -> list[timedelta]:
    """How long the digests around a day are."""
    moments = [moment(day + timedelta(days=offset), at=at, zone=SYDNEY) for offset in range(-2, 3)]
    return [later - earlier for earlier, later in pairwise(moments)]


def hours(*values: int) -> list[timedelta]:
    return [timedelta(hours=value) for value in values]


def test_the_day_of_a_change_has_23_or_25_hours() -> None:
    assert lengths(FORWARD, at=time(7)) == hours(24, 23, 24, 24)
    assert lengths(BACK, at=time(7)) == hours(24, 25, 24, 24)


def test_a_time_that_the_clocks_skip_comes_an_hour_later_and_one_that_they_strike_twice_is_the_first() -> None:
    assert moment(FORWARD, at=time(2, 30), zone=SYDNEY) == datetime(2026, 10, 3, 16, 30, tzinfo=UTC)  # 03:30 summer time
    assert moment(BACK, at=time(2, 30), zone=SYDNEY) == datetime(2027, 4, 3, 15, 30, tzinfo=UTC)  # 02:30 summer time


@pytest.mark.parametrize("at", [time(0), time(2), time(2, 30), time(3), time(7), time(23, 59)])
@pytest.mark.parametrize("middle", [FORWARD, BACK])
def test_looking_every_minute_around_a_change_gives_each_day_once_and_leaves_no_gap(middle: date, at: time) -> None:
    now = datetime.combine(middle - timedelta(days=2), time(), tzinfo=UTC)
    found = []
    for minute in range(4 * 24 * 60):
        digest = due_digest(now + timedelta(minutes=minute), at=at, zone=SYDNEY, since=LONG_AGO)
        assert digest is not None
        if not found or found[-1] != digest:
            found.append(digest)
    assert [one.day for one in found] == sorted({one.day for one in found})
    assert all(later.day - earlier.day == timedelta(days=1) for earlier, later in pairwise(found))
    assert all(earlier.end == later.begin for earlier, later in pairwise(found))


def test_a_digest_that_was_missed_is_due_until_the_next_one() -> None:
    noon = datetime(2026, 11, 27, 2, tzinfo=UTC)  # 12:00 in Brisbane
    digest = due_digest(noon, at=time(7), zone=BRISBANE, since=LONG_AGO)
    assert digest is not None
    assert digest.day == date(2026, 11, 27)
    early = due_digest(noon, at=time(22), zone=BRISBANE, since=LONG_AGO)
    assert early is not None
    assert early.day == date(2026, 11, 26)


def test_a_new_channel_waits_for_its_first_time() -> None:
    noon = datetime(2026, 11, 27, 2, tzinfo=UTC)
    assert due_digest(noon, at=time(7), zone=BRISBANE, since=noon - timedelta(hours=1)) is None
    assert due_digest(noon + timedelta(days=1), at=time(7), zone=BRISBANE, since=noon - timedelta(hours=1)) is not None


def test_a_time_zone_that_nobody_knows_stops_no_digest_of_others() -> None:
    with pytest.raises(SettingsError, match="Australia/Atlantis"):
        zone_named("Australia/Atlantis", whose="ZIXLY_NOTIFY_TIME_ZONE")
    assert zone_or("Australia/Atlantis", BRISBANE) is BRISBANE
    assert zone_or(None, BRISBANE) is BRISBANE
    assert zone_or("Australia/Sydney", BRISBANE) == SYDNEY
