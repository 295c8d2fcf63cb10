"""Days as a client company has them: from midnight to midnight where it is, 23 or 25 hours when its clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from zixly_core.changes import Window

ONE_DAY = timedelta(days=1)


def day_window(day: date, zone: ZoneInfo) -> Window:
    """The day as moments in UTC."""
    return Window(midnight(day, zone), midnight(day + ONE_DAY, zone))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day, both ends included."""
    day = first
    while day <= last:
        yield day
        day += ONE_DAY
