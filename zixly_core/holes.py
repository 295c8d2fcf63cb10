"""Times for which events of an account are missing, and what is done about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from zixly_core.changes import Window

# Vendors' clocks and ours differ, and records are stamped a little before or after their events.
MARGIN = timedelta(minutes=5)


class HoleKind(StrEnum):
    """How it was seen. SEQUENCE: numbers that never came. SUBSCRIPTION: the vendor had our webhook no more. SILENCE: the source changed
    and nothing came since. MISSED: the source changed, and only events about other changes came."""

    SEQUENCE = "sequence"
    SUBSCRIPTION = "subscription"
    SILENCE = "silence"
    MISSED = "missed"


class HoleStatus(StrEnum):
    """OPEN until all of it is recovered, and as long as it goes on."""

    OPEN = "OPEN"
    RECOVERED = "RECOVERED"


@dataclass(frozen=True)
class Hole:
    """A time for which events of an account are missing. `until` None: it goes on. `recovered_to`: everything up to then is made good."""

    id: UUID
    connection_id: UUID
    kind: HoleKind
    since: datetime
    until: datetime | None = None
    resource: str | None = None
    recovered_to: datetime | None = None


def window_of(hole: Hole, *, now: datetime) -> Window:
    """What is to be read for a hole now, with a margin on both sides where it is not known to the second."""
    since = hole.since if hole.recovered_to is None else hole.recovered_to
    return Window(since - MARGIN, now if hole.until is None else min(hole.until + MARGIN, now))
