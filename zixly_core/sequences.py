"""Numbers that a sender gives its events, looked through for those that never came.

Deliveries come late and out of order, and again when an answer was lost: a number counts as missing only when something behind it
came a while ago. A sender may begin anew at a low number (a webhook that was made again): its events are newer then than those of the
higher numbers before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True)
class Span:
    """The numbers that one delivery held, and when the first and the last of its events occurred."""

    first: int
    last: int
    received_at: datetime
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Mark:
    """How far the numbers are accounted for, by deliveries or by holes that were noted; when the last of their events occurred, and
    when this numbering began."""

    complete_to: int
    reached_at: datetime
    began_at: datetime


@dataclass(frozen=True)
class MissingNumbers:
    """Numbers that never came. Their events occurred between `since` (of the event before) and `until` (receipt of one behind)."""

    first: int
    last: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Look:
    """What a look came to: the new mark, what is missing for good, and whether something may still be on its way."""

    mark: Mark
    missing: tuple[MissingNumbers, ...] = ()
    is_waiting: bool = False


def looked_through(mark: Mark | None, spans: Iterable[Span], *, settled_before: datetime) -> Look | None:
    """Go on from a mark; None where there is neither a mark nor a delivery. Before the first mark nothing is missing."""
    known = sorted(spans, key=lambda span: (span.first, span.last))
    if mark is None:
        return gone_on(beginning(known), known, settled_before=settled_before) if known else None
    lower = [span for span in known if span.last <= mark.complete_to and span.began_at > mark.reached_at]
    if lower:
        mark = beginning(lower)
    return gone_on(mark, [span for span in known if span.began_at >= mark.began_at], settled_before=settled_before)


def beginning(spans: Sequence[Span]) -> Mark:
    """The mark before the first of these numbers."""
    began_at = min(span.began_at for span in spans)
    return Mark(spans[0].first - 1, began_at, began_at)


def gone_on(mark: Mark, spans: Sequence[Span], *, settled_before: datetime) -> Look:
    """`spans` by their first numbers."""
    missing: list[MissingNumbers] = []
    behind = first_receipts(spans)
    for span, came_at in zip(spans, behind, strict=True):
        if span.last <= mark.complete_to:
            continue
        if span.first > mark.complete_to + 1:
            if came_at > settled_before:
                return Look(mark, tuple(missing), is_waiting=True)
            missing.append(MissingNumbers(mark.complete_to + 1, span.first - 1, since=mark.reached_at, until=came_at))
        mark = replace(mark, complete_to=span.last, reached_at=max(mark.reached_at, span.ended_at))
    return Look(mark, tuple(missing))


def first_receipts(spans: Sequence[Span]) -> list[datetime]:
    """For each span, when the first delivery came that holds numbers from it on."""
    receipts: list[datetime] = []
    for span in reversed(spans):
        receipts.append(min(span.received_at, receipts[-1]) if receipts else span.received_at)
    return receipts[::-1]
