"""Jobs by the hour as bars, drawn on the server: shapes and numbers, which the template makes into SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from zixly_core.stores.overview import HOURS, EndedInHour

WIDTH, HEIGHT, GAP = 960, 140, 6
STEP = WIDTH / HOURS


@dataclass(frozen=True)
class Bar:
    """An hour: how many ended, and where the bar's two parts stand. Lengths are in the drawing's units."""

    hour: datetime
    completed: int
    failed: int
    x: float
    width: float
    completed_height: float
    failed_height: float

    @property
    def is_named(self) -> bool:
        return self.hour.hour % 6 == 0


@dataclass(frozen=True)
class Chart:
    bars: Sequence[Bar]
    most: int
    completed: int
    failed: int
    width: int = WIDTH
    height: int = HEIGHT


def chart_of(ended: Sequence[EndedInHour], *, now: datetime) -> Chart:
    """The last 24 hours, the present one last; hours in which nothing ended have bars of no height."""
    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=HOURS - 1 - number) for number in range(HOURS)]
    completed = dict.fromkeys(hours, 0)
    failed = dict.fromkeys(hours, 0)
    for one in ended:
        if one.hour in completed:
            completed[one.hour] += one.completed
            failed[one.hour] += one.failed
    most = max(completed[hour] + failed[hour] for hour in hours)
    bars = [bar(number, hour, completed[hour], failed[hour], most=most) for number, hour in enumerate(hours)]
    return Chart(bars, most, sum(completed.values()), sum(failed.values()))


def bar(number: int, hour: datetime, completed: int, failed: int, *, most: int) -> Bar:
    unit = HEIGHT / most if most else 0.0
    # A failure is seen however many others ended well.
    failed_height = max(failed * unit, 3.0) if failed else 0.0
    completed_height = min(completed * unit, HEIGHT - failed_height)
    return Bar(hour, completed, failed, round(number * STEP, 1), STEP - GAP, round(completed_height, 1), round(failed_height, 1))
