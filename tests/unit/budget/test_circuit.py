"""A vendor that fails again and again rests for a growing pause."""

from __future__ import annotations

from zixly_core.circuit import CLOSED, LONGEST_PAUSE_SECONDS, OPENS_AT, Circuit, answered, asked_of_circuit, failed

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


def test_the_third_failure_in_a_row_opens_it_and_a_success_in_between_does_not() -> None:
    twice = failed(failed(CLOSED, "a", now=NOW), "b", now=NOW)
    assert not twice.is_open
    assert failed(twice, "c", now=NOW).is_open
    assert not failed(answered(twice, "c"), "d", now=NOW).is_open


def test_while_it_rests_nothing_goes_out_and_then_one_call_tries() -> None:
    circuit = opened()
    assert asked_of_circuit(circuit, "early", now=NOW + 4, under_way=()) == 1.0
    tried = trial(circuit, "trial", now=NOW + 5)
    assert isinstance(asked_of_circuit(tried, "second", now=NOW + 5, under_way={"trial"}), float)
    assert asked_of_circuit(answered(tried, "trial"), "second", now=NOW + 6, under_way=()) == CLOSED


def test_each_failed_trial_doubles_the_pause_up_to_five_minutes() -> None:
    circuit, now, pauses = opened(), NOW, list[float]()
    for number in range(9):
        pauses.append(circuit.rests_until - now)
        now = circuit.rests_until
        circuit = failed(trial(circuit, f"trial-{number}", now=now), f"trial-{number}", now=now)
    assert pauses == [5, 10, 20, 40, 80, 160, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS]


def test_calls_that_were_under_way_when_it_opened_neither_lengthen_nor_end_the_rest() -> None:
    circuit = opened()
    assert failed(circuit, "late", now=NOW + 1) == circuit
    assert answered(circuit, "late") == circuit


def test_a_trial_whose_worker_died_makes_room_for_another() -> None:
    tried = trial(opened(), "died", now=NOW + 5)
    assert trial(tried, "next", now=NOW + 60).trial == "next"


def test_the_vendors_own_request_for_a_pause_is_kept() -> None:
    circuit = failed(failed(CLOSED, "a", now=NOW), "b", now=NOW)
    assert failed(circuit, "c", now=NOW, asked_pause=120).rests_until == NOW + 120
