"""What a channel is told of one cause: at most three things of one occurrence, and no storm when it flaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from zixly_core.ids import new_id
from zixly_core.notifications.conversation import BUSY_GAP, Conversation, Heard, Line, Pace, soonest_for
from zixly_core.notifications.words import ABOUT_ISSUES, Kind, Status, Transition

pytestmark = pytest.mark.unit

START = datetime(2026, 11, 27, 20, tzinfo=UTC)
PACE = Pace(gather=timedelta(seconds=10), settle=timedelta(minutes=5), quiet=timedelta(hours=1), reminder=timedelta(hours=4))
OPENINGS = {Transition.OPENED, Transition.REOPENED}


@dataclass
class Channel:
    """A channel that is told as soon as something is due, by a clock that goes in steps of a minute."""

    wants: AbstractSet[Kind] = ABOUT_ISSUES
    now: datetime = START
    lines: list[Line] = field(default_factory=list)
    said: list[tuple[int, Kind]] = field(default_factory=list)
    """Minute and what was said."""
    status: str = "RESOLVED"

    def hear(self, *transitions: Transition, was_ignored: bool = False) -> None:
        for transition in transitions:
            if transition in OPENINGS:
                self.issue = new_id()
            conversation = Conversation(self.lines, wants=self.wants, pace=PACE, soonest=self.now + PACE.gather)
            conversation.hear(Heard(new_id(), self.issue, transition, was_ignored), now=self.now)
            self.lines = list(conversation.lines)
            self.status = "OPEN" if transition in OPENINGS else transition.value.upper()

    def pass_minutes(self, minutes: int) -> None:
        for _ in range(minutes):
            self.now += timedelta(minutes=1)
            for line in self.lines:
                if line.status is Status.PENDING and line.due_at <= self.now:
                    self._end(line)

    def _end(self, line: Line) -> None:
        if line.kind is Kind.REMINDER and self.status != "OPEN":
            line.status, line.reason = Status.DROPPED, self.status.lower()
            return
        line.status = Status.SENT
        self.said.append((round((self.now - START) / timedelta(minutes=1)), line.kind))

    @property
    def kinds(self) -> Sequence[Kind]:
        return [kind for _, kind in self.said]

    def reasons(self, status: Status = Status.DROPPED) -> set[str | None]:
        return {line.reason for line in self.lines if line.status is status}


def flap(channel: Channel, *, every: int, minutes: int) -> None:
    """Open and resolve in turn."""
    for position in range(minutes // every):
        channel.hear(Transition.RESOLVED if position % 2 else Transition.OPENED)
        channel.pass_minutes(every)


def test_of_an_issue_that_nobody_takes_on_three_things_are_said_in_all() -> None:
    channel = Channel()
    channel.hear(Transition.OPENED)
    channel.pass_minutes(3 * 24 * 60)
    channel.hear(Transition.RESOLVED)
    channel.pass_minutes(24 * 60)
    assert channel.said == [(1, Kind.OPENED), (241, Kind.REMINDER), (3 * 24 * 60 + 5, Kind.RESOLVED)]


def test_an_issue_that_somebody_took_on_needs_no_reminder() -> None:
    channel = Channel()
    channel.hear(Transition.OPENED)
    channel.pass_minutes(10)
    channel.hear(Transition.ACKNOWLEDGED)
    channel.pass_minutes(600)
    assert channel.kinds == [Kind.OPENED]
    assert channel.reasons() == {"acknowledged"}


def test_nothing_more_is_said_of_an_issue_that_is_ignored() -> None:
    channel = Channel()
    channel.hear(Transition.OPENED)
    channel.pass_minutes(10)
    channel.hear(Transition.IGNORED)
    channel.hear(Transition.RESOLVED, was_ignored=True)
    channel.pass_minutes(600)
    assert channel.kinds == [Kind.OPENED]


def test_what_ended_before_it_was_said_is_not_said() -> None:
    channel = Channel()
    channel.hear(Transition.OPENED, Transition.RESOLVED)
    channel.pass_minutes(600)
    assert channel.said == []
    assert channel.reasons() == {"ended_unsaid", "opening_unsaid"}


def test_a_cause_that_comes_back_before_its_end_was_said_is_not_said_again() -> None:
    channel = Channel()
    channel.hear(Transition.OPENED)
    channel.pass_minutes(10)
    channel.hear(Transition.RESOLVED)
    channel.pass_minutes(3)
    channel.hear(Transition.OPENED)
    channel.pass_minutes(60)
    assert channel.kinds == [Kind.OPENED]
    assert channel.reasons() == {"came_back"}


def test_the_reminder_of_a_cause_that_came_back_is_about_the_issue_as_it_lives_on() -> None:
    channel = Channel()
    channel.hear(Transition.OPENED)
    channel.pass_minutes(10)
    channel.hear(Transition.RESOLVED, Transition.OPENED)
    (reminder,) = (line for line in channel.lines if line.kind is Kind.REMINDER)
    assert reminder.issue_id == channel.issue
    channel.pass_minutes(240)
    assert channel.kinds == [Kind.OPENED, Kind.REMINDER]


def test_flapping_three_times_within_an_hour_says_no_more_than_an_opening_and_an_end() -> None:
    channel = Channel()
    flap(channel, every=10, minutes=60)
    assert channel.kinds == [Kind.OPENED, Kind.RESOLVED]


def test_flapping_that_ends_open_is_told_as_open_and_one_that_ends_well_as_over() -> None:
    channel = Channel()
    flap(channel, every=10, minutes=50)
    channel.pass_minutes(240)
    assert channel.kinds == [Kind.OPENED, Kind.RESOLVED, Kind.OPENED]
    channel.hear(Transition.RESOLVED)
    channel.pass_minutes(240)
    assert channel.kinds[-1] is Kind.RESOLVED


@pytest.mark.parametrize("every", [1, 3, 7, 12, 31, 59])
def test_a_whole_day_of_flapping_is_no_storm(every: int) -> None:
    channel = Channel()
    flap(channel, every=every, minutes=24 * 60)
    assert len(channel.said) <= 16
    openings = [minute for minute, kind in channel.said if kind is Kind.OPENED]
    assert all(later - earlier >= 60 for earlier, later in pairwise(openings))


@pytest.mark.parametrize("every", [1, 7, 12, 31, 59])
def test_what_was_said_last_is_true_four_hours_after_all_is_quiet(every: int) -> None:
    for minutes in range(every, 20 * every, every):
        channel = Channel()
        flap(channel, every=every, minutes=minutes)
        channel.pass_minutes(245)
        believed = {Kind.OPENED: "OPEN", Kind.REMINDER: "OPEN", Kind.RESOLVED: "RESOLVED"}
        assert believed[channel.kinds[-1]] == channel.status if channel.said else channel.status == "RESOLVED"


def test_the_same_cause_after_two_days_is_news_at_once() -> None:
    channel = Channel()
    channel.hear(Transition.OPENED)
    channel.pass_minutes(10)
    channel.hear(Transition.RESOLVED)
    channel.pass_minutes(2 * 24 * 60)
    channel.hear(Transition.REOPENED)
    channel.pass_minutes(1)
    assert channel.kinds == [Kind.OPENED, Kind.RESOLVED, Kind.OPENED]


@pytest.mark.parametrize(
    ("wants", "said"),
    [
        ({Kind.OPENED}, [Kind.OPENED]),
        ({Kind.RESOLVED}, [Kind.RESOLVED]),
        ({Kind.REMINDER}, [Kind.REMINDER]),
        ({Kind.REMINDER, Kind.RESOLVED}, [Kind.REMINDER, Kind.RESOLVED]),
        (set(), []),
    ],
)
def test_a_channel_is_told_only_what_it_wants(wants: set[Kind], said: list[Kind]) -> None:
    channel = Channel(wants=wants)
    channel.hear(Transition.OPENED)
    channel.pass_minutes(300)
    channel.hear(Transition.RESOLVED)
    channel.pass_minutes(300)
    assert channel.kinds == said


def test_an_end_is_not_told_to_whoever_was_not_told_of_the_beginning() -> None:
    channel = Channel(wants={Kind.REMINDER, Kind.RESOLVED})
    channel.hear(Transition.OPENED)
    channel.pass_minutes(10)
    channel.hear(Transition.RESOLVED)
    channel.pass_minutes(600)
    assert channel.said == []


def test_what_is_being_sent_counts_as_said() -> None:
    line = Line(new_id(), Kind.OPENED, new_id(), new_id(), START, START, is_claimed=True)
    conversation = Conversation([line], wants=ABOUT_ISSUES, pace=PACE, soonest=START)
    conversation.hear(Heard(new_id(), line.issue_id, Transition.RESOLVED), now=START)
    assert line.status is Status.PENDING
    assert waiting(conversation.lines) == [Kind.RESOLVED]


def waiting(lines: Iterable[Line]) -> list[Kind]:
    return [line.kind for line in lines if line.is_waiting]


def test_a_channel_that_got_much_gets_what_is_new_together_later() -> None:
    def soonest(recent: int) -> datetime:
        return soonest_for(START, last_sent_at=START - timedelta(minutes=1), recent=recent, pace=PACE)

    assert soonest(2) == START + PACE.gather
    assert soonest(3) == START - timedelta(minutes=1) + BUSY_GAP
    assert soonest_for(START, last_sent_at=None, recent=0, pace=PACE) == START + PACE.gather
