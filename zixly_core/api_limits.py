"""The limits that a vendor sets to the calls of one account, in our words; each system states its own in `systems/<name>/limits.py`.

Three kinds. A `FixedWindow` allows so many calls until it ends, at a moment that we learn from answers. A `Bucket` fills up at a
steady rate; a window that rolls is modelled as one that never lets more through in any span. `Concurrent` is calls under way.
Each keeps something for live work, which bulk work leaves alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2

Lane = Literal["urgent", "live", "bulk"]
"""Who calls: a live job of high priority, an event that somebody waits for, or a backfill, which takes what is left."""

Counts = Callable[[httpx2.Request], bool]


def every_call(request: httpx2.Request) -> bool:
    return True


def one_call(request: httpx2.Request) -> int:
    return 1


@dataclass(frozen=True)
class FixedWindow:
    """`limit` calls until the window ends. None: limited only once an answer has told what is left.

    `kept_for_live` calls are left alone by bulk work when the window begins, and fewer as it nears its end: what is left then is
    lost. `kept_for_urgent` ones are left alone by live work in the same way.
    """

    name: str
    seconds: float
    limit: int | None
    kept_for_live: int
    kept_for_urgent: int = 0
    counts: Counts = every_call

    def kept_from(self, lane: Lane) -> int:
        """How many calls this lane leaves alone when the window begins."""
        match lane:
            case "bulk":
                return self.kept_for_live
            case "live":
                return self.kept_for_urgent
            case "urgent":
                return 0


@dataclass(frozen=True)
class Bucket:
    """At most `size` points at once, `per_second` come back; answers may tell other numbers. Where `is_told` they tell the bucket's own
    level too, else the level is our own count, which an answer can only lower."""

    name: str
    size: float
    per_second: float
    kept_for_live: float
    is_told: bool = False
    counts: Counts = every_call


@dataclass(frozen=True)
class Concurrent:
    """So many calls under way at once."""

    limit: int
    kept_for_live: int
    of: Literal["calls", "reads", "writes"] = "calls"


@dataclass(frozen=True)
class Level:
    """What an answer tells of one window: what is left, and for a bucket its size and rate."""

    left: float
    size: float | None = None
    per_second: float | None = None


@dataclass(frozen=True)
class Report:
    """What an answer tells. `throttled_for` is set, in seconds, where the answer is a refusal that its status does not show."""

    levels: Mapping[str, Level] = field(default_factory=dict)
    throttled_for: float | None = None


@dataclass(frozen=True)
class Limits:
    """All limits of one account. `cost_of` says how many calls, or points, a request counts as."""

    windows: tuple[FixedWindow | Bucket, ...] = ()
    concurrent: tuple[Concurrent, ...] = ()
    cost_of: Callable[[httpx2.Request], int] = one_call
    report_of: Callable[[httpx2.Response], Report] = lambda _: Report()


LimitsOf = Callable[[Mapping[str, Any]], Limits]
"""The limits of an account, given its connection's settings: what it pays for decides some of them."""


def report_of_headers(names: Mapping[str, str]) -> Callable[[httpx2.Response], Report]:
    """Reads reports from headers; `names` maps headers to windows. A header that is absent or no number tells nothing."""

    def read(answer: httpx2.Response) -> Report:
        texts = {window: answer.headers.get(header, "") for header, window in names.items()}
        return Report({window: Level(float(text)) for window, text in texts.items() if text.isascii() and text.isdecimal()})

    return read


def bucket_of_span(name: str, *, limit: float, seconds: float, at_once: float, kept_for_live: float, counts: Counts = every_call) -> Bucket:
    """A bucket that lets at most `limit` through in any span of `seconds`, `at_once` of them together."""
    return Bucket(name, size=at_once, per_second=(limit - at_once) / seconds, kept_for_live=kept_for_live, counts=counts)


def number_in(settings: Mapping[str, Any], name: str, *, default: float) -> float:
    """A positive number among a connection's settings; the default where it is absent or something else."""
    value = settings.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else default
