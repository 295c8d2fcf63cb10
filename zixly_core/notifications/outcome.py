"""How a sending ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Ending(StrEnum):
    """SENT: the other side took it. LATER: another try may help. REFUSED: none will."""

    SENT = "sent"
    LATER = "later"
    REFUSED = "refused"


@dataclass(frozen=True)
class Outcome:
    """`reason` is a machine word. `is_in_doubt`: it may have been taken although nobody said so; the next try must be the same message,
    so that a doubled one is recognised."""

    ending: Ending
    reason: str | None = None
    retry_after: timedelta | None = None
    is_in_doubt: bool = False


SENT = Outcome(Ending.SENT)


def later(reason: str, *, retry_after: timedelta | None = None, is_in_doubt: bool = False) -> Outcome:
    return Outcome(Ending.LATER, reason, retry_after, is_in_doubt)


def refused(reason: str) -> Outcome:
    return Outcome(Ending.REFUSED, reason)
