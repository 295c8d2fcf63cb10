"""Does something grow that should not? A robust slope through the samples after the warm-up, held against what would matter.

The slope is Theil and Sen's: the median of the slopes between all pairs. A peak, or a sample at a bad moment, does not move it. Many
figures are looked at, and some seem to rise by chance: what counts is the lower end of where the slope is with 99 % confidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import sqrt
from statistics import median

Point = tuple[float, float]
# Of the time so much is warm-up: pools fill, code is loaded, the first plans are made.
WARM_UP = 1 / 3
FEWEST_POINTS = 8
# Of the normal distribution, for one side of 99 %.
CONFIDENCE = 2.33


class Kind(StrEnum):
    """What is looked at; the unit is in the value."""

    MEMORY = "memory, MB (PSS)"
    FILES = "open files"
    PROCESSES = "processes"
    CONNECTIONS = "connections to Postgres"
    KEYS = "keys in Valkey"
    WAITING = "waiting"
    ROW_BYTES = "bytes for each row"
    DEAD_SHARE = "dead rows of all"
    SIZE = "table, MB"
    ROWS = "rows"


@dataclass(frozen=True)
class Limit:
    """How much a figure may grow over the time after the warm-up: a share of its median, and in any case `least`."""

    share: float
    least: float

    def of(self, level: float) -> float:
        return max(self.share * level, self.least)


# Tables and their rows grow with what is kept, and go with its retention: they are shown and not judged.
LIMITS: Mapping[Kind, Limit] = {
    Kind.MEMORY: Limit(0.10, 16),
    Kind.FILES: Limit(0.10, 12),
    Kind.PROCESSES: Limit(0.0, 2),
    Kind.CONNECTIONS: Limit(0.15, 8),
    Kind.KEYS: Limit(0.20, 50),
    Kind.WAITING: Limit(0.0, 150),
    Kind.ROW_BYTES: Limit(0.25, 0),
    Kind.DEAD_SHARE: Limit(0.0, 0.20),
}
# The vendors' stand-in keeps their books in its memory, and every write, which is what is counted afterwards. No part of the platform.
NOT_OURS = {(Kind.MEMORY, "sandbox")}


@dataclass(frozen=True)
class Growth:
    """One figure over the run: its median after the warm-up, and by the slope how much it grew since and grows in an hour."""

    kind: Kind
    name: str
    first: float
    median: float
    last: float
    grew: float
    surely: float
    """What it grew by at the lower end of the slope."""
    an_hour: float
    allowed: float | None
    """None for what is not judged."""

    @property
    def is_too_much(self) -> bool:
        return self.allowed is not None and self.surely > self.allowed


def growth_of(kind: Kind, name: str, points: Sequence[Point]) -> Growth | None:
    """None for what was seen too seldom to say anything. `points` are seconds and values."""
    if not points:
        return None
    end = points[-1][0]
    settled = [point for point in points if point[0] >= end * WARM_UP]
    if len(settled) < FEWEST_POINTS:
        return None
    level = median(value for _, value in settled)
    slope, least = slope_of(settled)
    seconds = settled[-1][0] - settled[0][0]
    limit = None if (kind, name) in NOT_OURS else LIMITS.get(kind)
    return Growth(
        kind=kind,
        name=name,
        first=points[0][1],
        median=level,
        last=points[-1][1],
        grew=slope * seconds,
        surely=least * seconds,
        an_hour=slope * 3600,
        allowed=None if limit is None else limit.of(level),
    )


def slope_of(points: Sequence[Point]) -> tuple[float, float]:
    """A second: the slope, and its lower end by the variance of Kendall's tau."""
    slopes = sorted((later - earlier) / (at - before) for (before, earlier), (at, later) in combinations(points, 2) if at > before)
    number = len(points)
    spread = CONFIDENCE * sqrt(number * (number - 1) * (2 * number + 5) / 18)
    return median(slopes), slopes[max(0, int((len(slopes) - spread) / 2))]
