"""What one channel is told about one cause of failures: on transition, not on repetition, and calmly while the cause comes and goes.

Of one occurrence at most three things are said: it opened, it is still open (once), it is resolved. A cause that flaps
(opens and ends again and again) has these brakes:

* A resolution waits a while (`settle`). What comes back before it was said is not news, so neither is said.
* After an opening was said, the next one waits: an hour, then two, then four (`quiet`, doubled up to `QUIETEST`), counted over a day.
  When it ends before that was said, neither is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from zixly_core.ids import new_id
from zixly_core.notifications.words import Kind, Status, Transition

DAY = timedelta(days=1)
# Longer, and people would believe for too long that what they were told last still holds.
QUIETEST = timedelta(hours=4)
# After so many messages in ten minutes a channel gets what is new five minutes after its last one.
MANY, LOOK_BACK, BUSY_GAP = 3, timedelta(minutes=10), timedelta(minutes=5)


@dataclass(frozen=True)
class Pace:
    """How long things wait, as the settings say."""

    gather: timedelta
    """For others that belong into the same message."""
    settle: timedelta
    quiet: timedelta
    reminder: timedelta


@dataclass(frozen=True)
class Heard:
    """A transition of an issue."""

    id: UUID
    issue_id: UUID
    transition: Transition
    was_ignored: bool = False
    """Somebody had said that the issue is of no interest."""


@dataclass
class Line:
    """One thing to say, said, or better not said."""

    id: UUID
    kind: Kind
    issue_id: UUID
    transition_id: UUID
    due_at: datetime
    created_at: datetime
    status: Status = Status.PENDING
    reason: str | None = None
    is_claimed: bool = False
    """Somebody is sending it at this moment: it counts as said."""
    is_new: bool = False
    is_changed: bool = False

    @property
    def is_waiting(self) -> bool:
        return self.status is Status.PENDING and not self.is_claimed

    @property
    def is_said(self) -> bool:
        return self.status is Status.SENT or (self.status is Status.PENDING and self.is_claimed)


class Conversation:
    """The lines of one channel about one cause. `hear` adds and changes lines; whoever keeps them looks at `is_new`, `is_changed`."""

    def __init__(self, lines: Iterable[Line], *, wants: AbstractSet[Kind], pace: Pace, soonest: datetime) -> None:
        """`soonest`: before that the channel gets nothing, because it got much (`soonest_for`)."""
        self.lines = sorted(lines, key=lambda line: (line.created_at, line.id))
        self._wants = wants
        self._pace = pace
        self._soonest = soonest

    def hear(self, heard: Heard, *, now: datetime) -> None:
        """Decide what a transition means for this channel."""
        match heard.transition:
            case Transition.OPENED | Transition.REOPENED:
                self._hear_opening(heard, now)
            case Transition.RESOLVED:
                self._hear_end(heard, now)
            case Transition.ACKNOWLEDGED:
                self._drop(Kind.REMINDER, reason="acknowledged")
            case Transition.IGNORED:
                self._drop(Kind.OPENED, Kind.REMINDER, reason="ignored")

    def _hear_opening(self, heard: Heard, now: datetime) -> None:
        if self._drop(Kind.RESOLVED, reason="came_back"):
            self._add(Kind.OPENED, heard, now, due_at=now, dropped="came_back")
            self._remind_of(heard)
            return
        if self._waiting(Kind.OPENED):
            self._add(Kind.OPENED, heard, now, due_at=now, dropped="said_already")
            return
        due_at = max(self._soonest, self._quiet_until(now))
        self._drop(Kind.REMINDER, reason="came_back")
        self._add(Kind.OPENED, heard, now, due_at=due_at)
        self._add(Kind.REMINDER, heard, now, due_at=due_at + self._pace.reminder)

    def _hear_end(self, heard: Heard, now: datetime) -> None:
        if self._drop(Kind.OPENED, reason="ended_unsaid"):
            self._drop(Kind.REMINDER, reason="ended_unsaid")
            self._add(Kind.RESOLVED, heard, now, due_at=now, dropped="opening_unsaid")
        elif heard.was_ignored:
            self._add(Kind.RESOLVED, heard, now, due_at=now, dropped="ignored")
        elif self._waiting(Kind.RESOLVED):
            self._add(Kind.RESOLVED, heard, now, due_at=now, dropped="said_already")
        elif self._wants & {Kind.OPENED, Kind.REMINDER} and not self._is_believed_open():
            self._add(Kind.RESOLVED, heard, now, due_at=now, dropped="opening_unsaid")
        else:
            self._add(Kind.RESOLVED, heard, now, due_at=max(self._soonest, now + self._pace.settle))

    def _quiet_until(self, now: datetime) -> datetime:
        """When the next opening may be said."""
        said = [line for line in self.lines if line.kind is Kind.OPENED and line.is_said and line.due_at > now - DAY]
        if not said:
            return now
        quiet: timedelta = self._pace.quiet * 2 ** (len(said) - 1)
        return said[-1].due_at + min(quiet, QUIETEST)

    def _is_believed_open(self) -> bool:
        """Whether what was said last is that it is open."""
        said = [line.kind for line in self.lines if line.is_said]
        last_end = max((position for position, kind in enumerate(said) if kind is Kind.RESOLVED), default=-1)
        return any(kind in {Kind.OPENED, Kind.REMINDER} for kind in said[last_end + 1 :])

    def _remind_of(self, heard: Heard) -> None:
        """The reminder that waits is about the issue as it lives on: a cause that came back has a new row."""
        for line in self._waiting(Kind.REMINDER):
            line.issue_id, line.is_changed = heard.issue_id, True

    def _waiting(self, *kinds: Kind) -> Sequence[Line]:
        return [line for line in self.lines if line.kind in kinds and line.is_waiting]

    def _drop(self, *kinds: Kind, reason: str) -> Sequence[Line]:
        """Leave unsaid what waits; which lines that were."""
        waiting = self._waiting(*kinds)
        for line in waiting:
            line.status, line.reason, line.is_changed = Status.DROPPED, reason, True
        return waiting

    def _add(self, kind: Kind, heard: Heard, now: datetime, *, due_at: datetime, dropped: str | None = None) -> None:
        if kind not in self._wants:
            return
        status = Status.DROPPED if dropped else Status.PENDING
        made = Line(new_id(), kind, heard.issue_id, heard.id, due_at, now, status=status, reason=dropped, is_new=True)
        self.lines.append(made)


def soonest_for(now: datetime, *, last_sent_at: datetime | None, recent: int, pace: Pace) -> datetime:
    """When what is new may go out: soon, gathered with what belongs to it; later on a channel that got `recent` messages just now
    (within `LOOK_BACK`), so that a trouble that spreads does not send a message for each step."""
    soon = now + pace.gather
    if last_sent_at is None or recent < MANY:
        return soon
    return max(soon, last_sent_at + BUSY_GAP)
