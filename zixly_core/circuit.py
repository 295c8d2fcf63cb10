"""A circuit breaker, as a value: when a vendor fails again and again for one account, its calls rest for a growing pause, after which
one call tries. What fails while it is open, or opens it, is the vendor's fault and uses up no attempt of a job."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

# The third failure in a row opens: a job alone has three attempts, and must not be lost to an outage.
OPENS_AT = 3
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0
# How soon to ask again while the one call that tries is under way.
TRIAL_SECONDS = 1.0


@dataclass(frozen=True)
class Circuit:
    """Failures in a row; open when there are `OPENS_AT`, and then closed to all but one call (`trial`) from `rests_until` on."""

    failures: int = 0
    rests_until: float = 0.0
    pause: float = 0.0
    trial: str = ""

    @property
    def is_open(self) -> bool:
        return self.failures >= OPENS_AT


CLOSED = Circuit()


def asked_of_circuit(circuit: Circuit, call_id: str, *, now: float, under_way: Container[str]) -> Circuit | float:
    """The circuit with the call let through, or the seconds to wait."""
    if not circuit.is_open:
        return circuit
    if now < circuit.rests_until:
        return circuit.rests_until - now
    if circuit.trial in under_way:
        return TRIAL_SECONDS
    return replace(circuit, trial=call_id)


def failed(circuit: Circuit, call_id: str, *, now: float, asked_pause: float = 0.0) -> Circuit:
    """One more failure. Calls that were under way when it opened do not make the pause longer; the one that tried does."""
    if circuit.is_open and circuit.trial != call_id:
        return circuit
    failures = circuit.failures + 1
    if failures < OPENS_AT:
        return replace(circuit, failures=failures)
    pause = min(max(circuit.pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
    return Circuit(failures, rests_until=now + max(pause, min(asked_pause, LONGEST_PAUSE_SECONDS)), pause=pause)


def answered(circuit: Circuit, call_id: str) -> Circuit:
    """The vendor works. While it is open only the call that tries can say so: an older answer may have been on its way for long."""
    return circuit if circuit.is_open and circuit.trial != call_id else CLOSED
