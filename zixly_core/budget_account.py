"""One account's budget as a value: what its calls did to its limits, which calls are under way, and whether the vendor works.

Pure functions; stores/budgets.py keeps the value for all workers, budget_keeper.py asks them. Moments are seconds of Postgres' clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import httpx2

from zixly_core.api_limits import Bucket, Concurrent, FixedWindow, Lane, Level, Limits
from zixly_core.budget_windows import (
    Asked,
    BucketState,
    FixedState,
    Heard,
    Wait,
    WindowState,
    asked_of_bucket,
    asked_of_fixed,
    heard_of_bucket,
    heard_of_fixed,
    spent_until,
)
from zixly_core.circuit import CLOSED, Circuit, answered, asked_of_circuit, failed

# A call that a worker took with it when it died holds its place for so long: longer than the timeouts of http_client.py allow a call
# that still succeeds.
CALL_SECONDS = 45.0
# How soon to ask again when as many calls are under way as may be.
BUSY_SECONDS = 0.15
# Refused bulk calls are told to come back one after the other, at the pace of the limit, and not all when the window ends. What
# would come back later than this is told to come back then.
LONGEST_BOOKING_SECONDS = 600.0

BUSY = "concurrent"
DOWN = "vendor_down"


@dataclass(frozen=True)
class UnderWay:
    """A call that was let out and has not come back."""

    id: str
    cost: int
    is_read: bool
    until: float


@dataclass(frozen=True)
class Account:
    """`sent` is the cost of all calls ever let out. Until `blocked_until` the vendor has refused everything (for window `blocked_by`).
    Bulk calls are booked up to `booked_until`."""

    windows: Mapping[str, WindowState] = field(default_factory=dict)
    under_way: tuple[UnderWay, ...] = ()
    sent: int = 0
    blocked_until: float = 0.0
    blocked_by: str = ""
    booked_until: float = 0.0
    circuit: Circuit = CLOSED


@dataclass(frozen=True)
class Ask:
    """A call that wants to go out; `windows` are the limits that it counts against."""

    id: str
    lane: Lane
    cost: int
    is_read: bool
    windows: frozenset[str]


@dataclass(frozen=True)
class Permit:
    """The right to send one call, and how things stood when it was given: the cost sent up to it, the cost under way beside it."""

    ask: Ask
    sent: int
    beside: int
    windows: Mapping[str, WindowState]


@dataclass(frozen=True)
class Outcome:
    """What became of a call. `refused` names the window that the vendor says is spent, `wait` the seconds it asked for."""

    kind: Literal["answered", "refused", "vendor_failed", "lost"]
    levels: Mapping[str, Level] = field(default_factory=dict)
    refused: str = ""
    wait: float = 0.0


def ask_for(limits: Limits, request: httpx2.Request, *, call_id: str, lane: Lane, is_read: bool) -> Ask:
    """What a request asks of an account's limits."""
    windows = frozenset(window.name for window in limits.windows if window.counts(request))
    return Ask(call_id, lane, limits.cost_of(request), is_read, windows)


def asked(account: Account, limits: Limits, ask: Ask, *, now: float, patience: float = 0.0) -> tuple[Account, Permit | Wait]:
    """Let a call out, or say when. A bulk call that would have to wait for longer than its `patience` is booked."""
    present = replace(account, under_way=tuple(one for one in account.under_way if one.until > now))
    ids = {one.id for one in present.under_way}
    circuit = asked_of_circuit(present.circuit, ask.id, now=now, under_way=ids)
    if not isinstance(circuit, Circuit):
        return account, Wait(circuit, DOWN)
    if now < present.blocked_until:
        return booked(account, limits, ask, Wait(present.blocked_until - now, present.blocked_by), now=now, patience=patience)
    if any(is_busy(limit, present, ask) for limit in limits.concurrent):
        return account, Wait(BUSY_SECONDS, BUSY)
    states = asked_of_windows(present, limits, ask, now=now)
    if isinstance(states, Wait):
        return booked(account, limits, ask, states, now=now, patience=patience)
    beside = sum(one.cost for one in present.under_way)
    call = UnderWay(ask.id, ask.cost, ask.is_read, until=now + CALL_SECONDS)
    after = replace(
        present, windows={**present.windows, **states}, under_way=(*present.under_way, call), sent=present.sent + ask.cost, circuit=circuit
    )
    return after, Permit(ask, sent=after.sent, beside=beside, windows=present.windows)


def asked_of_windows(account: Account, limits: Limits, ask: Ask, *, now: float) -> dict[str, WindowState] | Wait:
    """The states of all windows after the call, or the longest of the waits."""
    ids = {one.id for one in account.under_way}
    wanting = Asked(ask.id, ask.lane, ask.cost, now)
    states: dict[str, WindowState] = {}
    waits: list[Wait] = []
    for window in limits.windows:
        if window.name not in ask.windows:
            continue
        match window:
            case FixedWindow():
                after: WindowState | Wait | None = asked_of_fixed(window, fixed_in(account, window.name), wanting, under_way=ids)
            case Bucket():
                after = asked_of_bucket(window, bucket_in(account, window.name), wanting)
        if isinstance(after, Wait):
            waits.append(after)
        elif after is not None:
            states[window.name] = after
    return max(waits, key=lambda wait: wait.seconds) if waits else states


def is_busy(limit: Concurrent, account: Account, ask: Ask) -> bool:
    """Whether one more call would be one too many. One that alone is too big goes out alone."""
    if limit.of != "calls" and ask.is_read != (limit.of == "reads"):
        return False
    busy = sum(one.cost for one in account.under_way if limit.of == "calls" or one.is_read == (limit.of == "reads"))
    allowed = limit.limit - (limit.kept_for_live if ask.lane == "bulk" else 0)
    return busy > 0 and busy + ask.cost > allowed


def booked(account: Account, limits: Limits, ask: Ask, answer: Wait, *, now: float, patience: float) -> tuple[Account, Wait]:
    """The refusal of a bulk call with a place in the queue. Live calls are not queued: what is kept for them is enough."""
    if ask.lane != "bulk" or answer.seconds <= patience:
        return account, answer
    at = min(max(now + answer.seconds, account.booked_until), now + max(LONGEST_BOOKING_SECONDS, answer.seconds))
    is_behind = at > now + answer.seconds
    place = replace(answer, seconds=at - now, only_bulk=answer.only_bulk or is_behind)
    return replace(account, booked_until=at + pace_of(limits, answer.window)), place


def pace_of(limits: Limits, name: str) -> float:
    """The seconds that one call takes of a limit."""
    for window in limits.windows:
        match window:
            case FixedWindow(name=found, limit=int(limit)) if found == name:
                return window.seconds / limit
            case Bucket(name=found) if found == name:
                return 1 / window.per_second
            case _:
                continue
    return 1.0


def heard(account: Account, limits: Limits, permit: Permit, outcome: Outcome, *, now: float) -> Account:
    """The account after a call came back, or was given up."""
    ask = permit.ask
    rest = tuple(one for one in account.under_way if one.id != ask.id and one.until > now)
    beside = sum(one.cost for one in rest)
    uncounted = permit.beside + account.sent - permit.sent
    windows = dict(account.windows)
    for window in limits.windows:
        if window.name not in ask.windows:
            continue
        level, seen = outcome.levels.get(window.name), permit.windows.get(window.name)
        word = Heard(ask.id, now, ask.cost, level, uncounted=uncounted, beside=beside, seen=seen)
        match window:
            case FixedWindow():
                state: WindowState | None = heard_of_fixed(window, fixed_in(account, window.name), word)
            case Bucket():
                state = heard_of_bucket(window, bucket_in(account, window.name), word)
        if state is not None:
            windows[window.name] = state
    after = replace(account, windows=windows, under_way=rest, circuit=circuit_after(account.circuit, ask.id, outcome, now=now))
    return after if outcome.kind != "refused" else refused(after, limits, outcome, now=now)


def circuit_after(circuit: Circuit, call_id: str, outcome: Outcome, *, now: float) -> Circuit:
    if outcome.kind in {"vendor_failed", "lost"}:
        return failed(circuit, call_id, now=now, asked_pause=outcome.wait)
    return answered(circuit, call_id, now=now)


def refused(account: Account, limits: Limits, outcome: Outcome, *, now: float) -> Account:
    """The account is left alone for as long as the vendor asked, and the window that it named ends then."""
    until = now + outcome.wait
    windows = dict(account.windows)
    for window in limits.windows:
        if isinstance(window, FixedWindow) and window.name == outcome.refused:
            windows[window.name] = spent_until(fixed_in(account, window.name), until)
    return replace(account, windows=windows, blocked_until=max(account.blocked_until, until), blocked_by=outcome.refused)


def fixed_in(account: Account, name: str) -> FixedState | None:
    found = account.windows.get(name)
    return found if isinstance(found, FixedState) else None


def bucket_in(account: Account, name: str) -> BucketState | None:
    found = account.windows.get(name)
    return found if isinstance(found, BucketState) else None
