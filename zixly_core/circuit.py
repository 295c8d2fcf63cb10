"""A circuit breaker, as a value: when a vendor fails again and again for one account, its calls rest, and one call at a time tries
on a schedule that grows to hours. What fails while it is open, or opens it, is the vendor's fault and uses up no attempt of a job.

closed -- third failure in a row --> open -- a call that tries is answered --> on trial -- the next answer --> closed
                                      ^                                           |
                                      '------------ a failure, next pause --------'
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

# The third failure in a row opens: a job alone has three attempts, and must not be lost to an outage.
OPENS_AT = 3
# How long the account rests before each try: a blip costs seconds, a long outage few calls. The last one is repeated.
PAUSES_SECONDS = (5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0)
# How soon to ask again while the one call that tries is under way.
TRIAL_SECONDS = 1.0
# An account that was answered and then not called is no longer on trial after this: what fails later is another story.
ON_TRIAL_SECONDS = 600.0


@dataclass(frozen=True)
class Circuit:
    """Failures in a row; open when there are `OPENS_AT`, and then closed to all but one call (`trial`) from `rests_until` on.

    `step` counts the pauses of this outage. `on_trial_since`: a call that tried was answered then; whether jobs' calls are, too, is
    not known yet.
    """

    failures: int = 0
    rests_until: float = 0.0
    pause: float = 0.0
    trial: str = ""
    step: int = 0
    on_trial_since: float = 0.0

    @property
    def is_open(self) -> bool:
        return self.failures >= OPENS_AT

    def is_on_trial(self, now: float) -> bool:
        """Whether one answer has come after the rest, and no second one yet."""
        return not self.is_open and self.on_trial_since > 0 and now < self.on_trial_since + ON_TRIAL_SECONDS


CLOSED = Circuit()


def pause_of(step: int) -> float:
    """How long the rest before try number `step` (counted from 0) lasts, in seconds."""
    return PAUSES_SECONDS[min(step, len(PAUSES_SECONDS) - 1)]


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
    """One more failure. Calls that were under way when it opened do not make the pause longer; the one that tried does, and so does
    the first one after an answer to it: a vendor that answers the simple question and fails at the work is not well."""
    if circuit.is_open:
        return opened(circuit.step + 1, now=now, asked_pause=asked_pause) if circuit.trial == call_id else circuit
    if circuit.is_on_trial(now):
        return opened(circuit.step + 1, now=now, asked_pause=asked_pause)
    failures = circuit.failures + 1
    if failures < OPENS_AT:
        return Circuit(failures)
    return opened(0, now=now, asked_pause=asked_pause)


def opened(step: int, *, now: float, asked_pause: float) -> Circuit:
    """Open, for the pause of this step, or for longer where the vendor asked for it (`Retry-After`)."""
    pause = max(pause_of(step), min(asked_pause, PAUSES_SECONDS[-1]))
    return Circuit(OPENS_AT, rests_until=now + pause, pause=pause, step=step)


def answered(circuit: Circuit, call_id: str, *, now: float) -> Circuit:
    """The vendor works. While it is open only the call that tries can say so: an older answer may have been on its way for long."""
    if not circuit.is_open:
        return CLOSED
    return Circuit(step=circuit.step, on_trial_since=now) if circuit.trial == call_id else circuit
