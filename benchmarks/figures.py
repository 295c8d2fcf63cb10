"""The arithmetic: percentiles, medians, rates. Pure; None stands for "did not happen in time" or "was not measured"."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Span:
    """When a Dagster run was created and when it ended, in seconds since 1970, by the clock of the machine."""

    created: float
    ended: float


def percentile(seconds: Sequence[float | None], percent: int) -> float | None:
    """The nearest-rank percentile. A value that never came counts as longer than every other, so it is not left out.

    None when there are no values, or when the percentile falls on one that never came.
    """
    if not seconds:
        return None
    came = sorted(value for value in seconds if value is not None)
    rank = max(ceil(len(seconds) * percent / 100), 1)
    return came[rank - 1] if rank <= len(came) else None


def per_minute(spans: Iterable[Span]) -> float | None:
    """Runs a minute, from the creation of the first run to the end of the last one; None for no runs."""
    known = list(spans)
    if not known:
        return None
    seconds = max(span.ended for span in known) - min(span.created for span in known)
    return len(known) / seconds * 60 if seconds > 0 else None


def median(values: Sequence[float | None]) -> float | None:
    """None when a repetition gave nothing: half a measurement is none."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known and len(known) == len(values) else None


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """None when either is missing or nothing was to compare with."""
    return ours / theirs if ours is not None and theirs else None


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """How much the second number grows for one of the first, by least squares; None for fewer than two points."""
    if len({x for x, _ in points}) < 2:
        return None
    return statistics.linear_regression([x for x, _ in points], [y for _, y in points]).slope
