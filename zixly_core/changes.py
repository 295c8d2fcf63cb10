"""What changed at a source within a window of time: what backfills, reconciliations and the recovery of holes begin with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Window:
    """From `since` (included) to `until` (not included); both aware."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


@dataclass(frozen=True)
class ChangedRecord:
    """A record of the source that a workflow is about, and when it last changed there."""

    record_id: str
    changed_at: datetime


class ChangeReader(Protocol):
    """Reads the records of one account that a workflow is about."""

    def changed(self, window: Window) -> Iterator[Sequence[ChangedRecord]]:
        """The records that last changed within the window, a page at a time, oldest first where the vendor can. Bounded memory: a
        page is let go before the next is asked for. Raises what the vendor's client raises."""
