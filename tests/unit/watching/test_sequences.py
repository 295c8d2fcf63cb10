"""Numbers of deliveries, whatever the order and the repeats in which they come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from zixly_core.sequences import Look, Mark, Span, looked_through

START = datetime(2026, 11, 27, tzinfo=UTC)
PATIENCE = timedelta(minutes=10)
LONG_AFTER = START + timedelta(days=2)


def at(number: int) -> datetime:
    """The event of a number occurred in the second of its number."""
    return START + timedelta(seconds=number)


def span(first: int, last: int | None = None, *, late: timedelta = timedelta(), shift: timedelta = timedelta()) -> Span:
    end = at(last or first) + shift
    return Span(first, last or first, received_at=end + late, began_at=at(first) + shift, ended_at=end)


def look(mark: Mark | None, *spans: Span, now: datetime = LONG_AFTER) -> Look:
    found = looked_through(mark, spans, settled_before=now - PATIENCE)
    assert found is not None
    return found


def gaps(found: Look) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in found.missing]


def test_before_the_first_delivery_nothing_is_known() -> None:
    assert looked_through(None, [], settled_before=LONG_AFTER) is None


def test_the_first_delivery_begins_the_count_and_nothing_before_it_is_missing() -> None:
    found = look(None, span(700, 709))
    assert (found.mark.complete_to, gaps(found)) == (709, [])


def test_a_number_that_never_came_is_missing_between_its_neighbours() -> None:
    found = look(None, span(1, 4), span(8, 9))
    assert gaps(found) == [(5, 7)]
    assert (found.missing[0].since, found.missing[0].until) == (at(4), at(9))
    assert found.mark.complete_to == 9


def test_a_gap_counts_only_when_something_behind_it_came_a_while_ago() -> None:
    begun = look(None, span(1)).mark
    early = look(begun, span(3), now=at(3) + timedelta(minutes=9))
    assert (gaps(early), early.mark.complete_to, early.is_waiting) == ([], 1, True)
    late = look(early.mark, span(3), now=at(3) + timedelta(minutes=11))
    assert gaps(late) == [(2, 2)]


def test_what_came_late_fills_the_gap() -> None:
    begun = look(None, span(1)).mark
    found = look(begun, span(3), span(2, late=timedelta(minutes=5)))
    assert (gaps(found), found.mark.complete_to) == ([], 3)


def test_a_repeat_of_an_old_delivery_is_no_new_beginning() -> None:
    mark = look(None, span(1, 50)).mark
    found = look(mark, span(20, 30, late=timedelta(hours=1)))
    assert (found.mark, found.missing) == (mark, ())


def test_low_numbers_for_later_events_begin_the_count_anew_and_older_ones_are_forgotten() -> None:
    mark = look(None, span(1, 500)).mark
    day = timedelta(days=1)
    again = look(mark, span(498, 500), span(1, 2, shift=day), span(4, shift=day))
    assert (again.mark.complete_to, gaps(again)) == (4, [(3, 3)])
    assert again.mark.began_at == at(1) + day
    later = look(again.mark, span(5, shift=day))
    assert (later.mark.complete_to, later.missing) == (5, ())


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Span], set[int]]:
    """What came of 1..n: some deliveries were lost, some came again, all out of order; the first always came."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=30))
    spans, number = list[Span](), 1
    for size in sizes:
        spans.append(span(number, number + size - 1, late=timedelta(minutes=draw(st.integers(0, 1440)))))
        number += size
    kept = [spans[0], *(one for one in spans[1:] if draw(st.booleans()))]
    came = kept + draw(st.lists(st.sampled_from(kept), max_size=5))
    highest = max(one.last for one in kept)
    lost = set(range(1, highest + 1)) - {number for one in kept for number in range(one.first, one.last + 1)}
    return draw(st.permutations(came)), lost


def numbers(found: Sequence[tuple[int, int]]) -> set[int]:
    return {number for first, last in found for number in range(first, last + 1)}


@given(deliveries())
def test_in_any_order_exactly_what_never_came_is_missing(told: tuple[list[Span], set[int]]) -> None:
    spans, lost = told
    found = look(None, *spans)
    assert numbers(gaps(found)) == lost
    assert all(one.since <= at(one.first) and at(one.last) <= one.until for one in found.missing)


@given(deliveries(), st.integers(1, 30))
def test_however_often_it_is_looked_each_missing_number_is_found_once(told: tuple[list[Span], set[int]], looks: int) -> None:
    spans, lost = told
    arrived = sorted(spans, key=lambda one: one.received_at)
    mark, found = look(None, span(1)).mark, list[tuple[int, int]]()
    step = timedelta(days=2) / looks
    for turn in range(1, looks + 2):
        now = START + step * turn + PATIENCE
        came = [one for one in arrived if one.received_at <= now]
        one_look = look(mark, *came, now=now)
        mark, found = one_look.mark, found + gaps(one_look)
    assert len(numbers(found)) == sum(last - first + 1 for first, last in found)
    assert lost <= numbers(found)
