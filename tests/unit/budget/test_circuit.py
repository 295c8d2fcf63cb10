"""A vendor that fails again and again rests for a growing pause, and is tried by one call at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zixly_core.circuit import (
    CLOSED,
    ON_TRIAL_SECONDS,
    OPENS_AT,
    PAUSES_SECONDS,
    Circuit,
    answered,
    asked_of_circuit,
    failed,
    pause_of,
)

pytestmark = pytest.mark.unit
NOW = 1_000.0


def opened(*, at: float = NOW) -> Circuit:
    circuit = CLOSED
    for number in range(OPENS_AT):
        circuit = failed(circuit, f"call-{number}", now=at)
    return circuit


def trial(circuit: Circuit, name: str, *, now: float) -> Circuit:
    after = asked_of_circuit(circuit, name, now=now, under_way=())
    assert isinstance(after, Circuit)
    return after


def on_trial(*, at: float = NOW + 5) -> Circuit:
    return answered(trial(opened(), "probe", now=at), "probe", now=at)


def test_the_third_failure_in_a_row_opens_it_and_a_success_in_between_does_not() -> None:
    twice = failed(failed(CLOSED, "a", now=NOW), "b", now=NOW)
    assert not twice.is_open
    assert failed(twice, "c", now=NOW).is_open
    assert not failed(answered(twice, "c", now=NOW), "d", now=NOW).is_open


def test_while_it_rests_nothing_goes_out_and_then_one_call_tries() -> None:
    circuit = opened()
    assert asked_of_circuit(circuit, "early", now=NOW + 4, under_way=()) == 1.0
    tried = trial(circuit, "trial", now=NOW + 5)
    assert isinstance(asked_of_circuit(tried, "second", now=NOW + 5, under_way={"trial"}), float)
    after = answered(tried, "trial", now=NOW + 6)
    assert asked_of_circuit(after, "second", now=NOW + 6, under_way=()) == after


def test_the_tries_are_seconds_apart_at_first_and_hours_in_the_end() -> None:
    circuit, now, pauses = opened(), NOW, list[float]()
    for number in range(11):
        pauses.append(circuit.rests_until - now)
        now = circuit.rests_until
        circuit = failed(trial(circuit, f"trial-{number}", now=now), f"trial-{number}", now=now)
    assert pauses == [5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 14400, 14400]


def test_an_outage_of_a_day_costs_thirteen_tries() -> None:
    at, tries = 0.0, 0
    while (at := at + pause_of(tries)) < 86_400:
        tries += 1
    assert tries == 13


def test_calls_that_were_under_way_when_it_opened_neither_lengthen_nor_end_the_rest() -> None:
    circuit = opened()
    assert failed(circuit, "late", now=NOW + 1) == circuit
    assert answered(circuit, "late", now=NOW + 1) == circuit


def test_a_trial_whose_worker_died_makes_room_for_another() -> None:
    tried = trial(opened(), "died", now=NOW + 5)
    assert trial(tried, "next", now=NOW + 60).trial == "next"


def test_the_vendors_own_request_for_a_pause_is_kept_up_to_the_longest_of_ours() -> None:
    twice = failed(failed(CLOSED, "a", now=NOW), "b", now=NOW)
    assert failed(twice, "c", now=NOW, asked_pause=120).rests_until == NOW + 120
    assert failed(twice, "c", now=NOW, asked_pause=1e9).rests_until == NOW + PAUSES_SECONDS[-1]


def test_the_first_failure_after_an_answer_opens_it_again_for_the_next_pause() -> None:
    """A vendor that answers a simple question and fails at the work is not well."""
    again = failed(on_trial(), "job", now=NOW + 7)
    assert again.is_open
    assert again.rests_until == NOW + 7 + PAUSES_SECONDS[1]


def test_the_second_answer_closes_it_and_what_fails_afterwards_begins_from_the_start() -> None:
    closed = answered(on_trial(), "job", now=NOW + 7)
    assert closed == CLOSED
    assert not failed(closed, "later", now=NOW + 8).is_open


def test_an_account_that_was_answered_and_then_not_called_is_not_on_trial_for_ever() -> None:
    much_later = NOW + 5 + ON_TRIAL_SECONDS
    assert failed(on_trial(), "job", now=much_later) == Circuit(failures=1)


steps = st.lists(st.tuples(st.sampled_from(["fails", "answers", "dies"]), st.floats(0, 20_000)), max_size=60)


@given(steps)
@settings(deadline=None)
def test_whatever_happens_one_call_at_a_time_tries_and_pauses_only_grow_within_an_outage(story: list[tuple[str, float]]) -> None:
    circuit, now, before = opened(), NOW, 0.0
    for number, (ending, wait) in enumerate(story):
        now += wait
        name = f"call-{number}"
        asked = asked_of_circuit(circuit, name, now=now, under_way=())
        if isinstance(asked, float):
            assert 0 < asked <= PAUSES_SECONDS[-1]
            assert now < circuit.rests_until
            continue
        if circuit.is_open:
            assert isinstance(asked_of_circuit(asked, "another", now=now, under_way={name}), float)
        circuit = asked
        if ending == "answers":
            circuit = answered(circuit, name, now=now)
        elif ending == "fails":
            circuit = failed(circuit, name, now=now)
        if circuit == CLOSED or (not circuit.is_open and not circuit.on_trial_since):
            before = 0.0
        if circuit.is_open and ending == "fails":
            assert circuit.pause >= before
            before = circuit.pause


@given(st.builds(Circuit, failures=st.integers(0, 3), step=st.integers(0, 40), on_trial_since=st.floats(0, 2_000)), st.floats(0, 1e9))
def test_a_pause_is_never_negative_and_never_longer_than_the_longest(circuit: Circuit, asked_pause: float) -> None:
    after = failed(replace(circuit, trial="call"), "call", now=NOW, asked_pause=asked_pause)
    if after.is_open:
        assert PAUSES_SECONDS[0] <= after.rests_until - NOW <= PAUSES_SECONDS[-1]
