"""Small drawings of counts over time: bars, drawn here, looked at without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT, STEP, GAP = 48, 12, 3


@dataclass(frozen=True)
class Bar:
    """A bar of a drawing, in its units."""

    x: int
    y: int
    height: int
    count: int


@dataclass(frozen=True)
class Bars:
    """A drawing of counts that follow one another."""

    bars: Sequence[Bar]
    width: int
    height: int = HEIGHT
    bar_width: int = STEP - GAP


def bars_of(counts: Sequence[int]) -> Bars:
    """The highest count fills the drawing; one that is not nothing is seen."""
    most = max(counts, default=0)
    bars = [Bar(place * STEP, HEIGHT - height_of(count, most), height_of(count, most), count) for place, count in enumerate(counts)]
    return Bars(bars, width=max(len(counts), 1) * STEP)


def height_of(count: int, most: int) -> int:
    return max(round(HEIGHT * count / most), 2) if count else 0
