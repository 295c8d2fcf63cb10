"""What a check finds: one thing that should not be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """Which promise was broken."""

    LOST = "lost"
    DOUBLED = "doubled"
    OUTDATED = "outdated"
    MISPLACED = "misplaced"
    UNACCOUNTED = "unaccounted"
    BY_HAND = "restarted by hand"


@dataclass(frozen=True)
class Finding:
    """One breach, in ids that lead to it."""

    trouble: Trouble
    text: str
