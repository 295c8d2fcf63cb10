"""What is known of a limit's windows, and how each call and each answer changes it: pure functions, moments as seconds of one clock.

A fixed window's end is told to nobody, so it is bounded: a window that some answer came from is over `seconds` after that answer.
Until then as many calls go out as the answers prove to be left; after it a single call finds out (the probe), and its answer opens
the next round. So nothing is refused, whatever the window's phase, unless somebody else uses the account too.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from zixly_core.api_limits import Bucket, FixedWindow, Lane, Level

# How soon to ask again while a probe is under way.
PROBE_SECONDS = 0.1
# The end of a window longer than this is not waited for blindly: one call each hour looks whether it has come.
LOOK_EVERY_SECONDS = 3_600.0
# While so few calls of a window are used, an answer cannot tell it from the window before: those under way blur the count. Asana's
# 15 writes apart, which has no fixed window, no vendor takes more at once.
BLUR = 10

# Moments are large numbers: a wait that is computed from them is off by less than this part of a point.
ROUNDING = 0.001


@dataclass(frozen=True)
class FixedState:
    """`left` calls may go out for all we know. The window is over at `ends_by` at the latest. `round` counts the windows seen."""

    left: int = 0
    ends_by: float = 0.0
    told: int = 0
    told_at: float = 0.0
    probe: str = ""
    round: int = 0


@dataclass(frozen=True)
class BucketState:
    """`left` points at the moment `at`, with the size and rate that hold for this account."""

    left: float
    at: float
    size: float
    per_second: float


WindowState = FixedState | BucketState


@dataclass(frozen=True)
class Wait:
    """Why a call may not go out now, and in how many seconds it may. `only_bulk`: more urgent work may go."""

    seconds: float
    window: str
    only_bulk: bool = False


@dataclass(frozen=True)
class Asked:
    """A call that wants to go out, at the moment `now`."""

    id: str
    lane: Lane
    cost: int
    now: float


@dataclass(frozen=True)
class Heard:
    """What came back of a call; `level` is None where it told nothing of this window, or nothing came.

    `uncounted` is the cost of all calls that the vendor may not have counted when it answered this one, `beside` of those that are
    under way now. `seen` is the window's state when the call went out.
    """

    id: str
    now: float
    cost: int
    level: Level | None
    uncounted: int
    beside: int
    seen: WindowState | None


def asked_of_fixed(window: FixedWindow, state: FixedState | None, asked: Asked, *, under_way: Container[str]) -> FixedState | Wait | None:
    """The state after the call, or the wait. None: this limit is not known to exist."""
    if state is None:
        if window.limit is None:
            return None
        state = FixedState()
    is_over = asked.now >= state.ends_by
    after = max(state.left - asked.cost, 0)
    if is_over and state.probe not in under_way:
        return replace(state, left=after, probe=asked.id)
    kept = kept_now(window, state, asked)
    if state.left - asked.cost >= kept:
        return replace(state, left=after)
    if is_over:
        return Wait(PROBE_SECONDS, window.name)
    if window.seconds > LOOK_EVERY_SECONDS and asked.now >= state.told_at + LOOK_EVERY_SECONDS and state.probe not in under_way:
        return replace(state, left=after, probe=asked.id)
    return wait_for_fixed(window, state, asked)


def kept_now(window: FixedWindow, state: FixedState, asked: Asked) -> float:
    """What the call's lane leaves alone: less and less, as what is left at the end is lost."""
    return window.kept_from(asked.lane) * min(max(state.ends_by - asked.now, 0) / window.seconds, 1)


def wait_for_fixed(window: FixedWindow, state: FixedState, asked: Asked) -> Wait:
    """Until the window is over; where something is kept for more urgent work, until that has shrunk below what is left."""
    spare, kept = state.left - asked.cost, window.kept_from(asked.lane)
    if spare < 0 or kept == 0:
        return Wait(state.ends_by - asked.now, window.name)
    return Wait(state.ends_by - spare * window.seconds / kept - asked.now, window.name, only_bulk=True)


def heard_of_fixed(window: FixedWindow, state: FixedState | None, heard: Heard) -> FixedState | None:
    """The state after an answer. One that tells nothing changes nothing, and the next call finds out in its place."""
    if state is None and heard.level is None:
        return None
    state = state or FixedState()
    is_probe = state.probe == heard.id
    if heard.level is None:
        return replace(state, probe="") if is_probe else state
    told = int(heard.level.left)
    seen = heard.seen if isinstance(heard.seen, FixedState) else None
    if is_probe or seen is None or (seen.round == state.round and told > seen.told - heard.cost):
        return new_round(window, state, heard, told=told)
    if seen.round != state.round:
        return replace(state, left=max(state.left, told - heard.uncounted))
    ends_by = heard.now + window.seconds if is_blurred(window, told) else state.ends_by
    left = corrected(state.left, told, heard)
    return replace(state, left=left, told=min(state.told, told), told_at=heard.now, ends_by=ends_by)


def new_round(window: FixedWindow, state: FixedState, heard: Heard, *, told: int) -> FixedState:
    """The answer came from a window that began after all we knew."""
    left = max(told - heard.uncounted, 0)
    return FixedState(left=left, ends_by=heard.now + window.seconds, told=told, told_at=heard.now, round=state.round + 1)


def corrected(left: float, told: float, heard: Heard) -> int:
    """Our count against the vendor's. Theirs is lower: somebody else calls too. Theirs is higher by more than what was on its way:
    there is more left than we thought."""
    if told < left:
        return int(max(told - heard.beside, 0))
    return int(max(left, told - heard.uncounted))


def is_blurred(window: FixedWindow, told: int) -> bool:
    return window.limit is not None and told >= window.limit - BLUR


def spent_until(state: FixedState | None, until: float) -> FixedState:
    """The vendor refused a call for this window and said until when: now its end is known."""
    before = state or FixedState()
    return FixedState(left=0, ends_by=until, told=0, told_at=until, round=before.round + 1)


def asked_of_bucket(bucket: Bucket, state: BucketState | None, asked: Asked) -> BucketState | Wait:
    """The state after the call, or the wait until it has filled up far enough. The first call of all may be one of bulk work: its answer
    tells the level, and no live call may ever come."""
    present = filled(bucket, state, asked.now)
    kept = min(bucket.kept_for_live, max(present.size - asked.cost, 0)) if asked.lane == "bulk" and state is not None else 0
    missing = min(asked.cost, present.size) + kept - present.left
    if missing < ROUNDING:
        return replace(present, left=present.left - asked.cost)
    return Wait(missing / present.per_second, bucket.name, only_bulk=present.left >= asked.cost)


def filled(bucket: Bucket, state: BucketState | None, now: float) -> BucketState:
    """The bucket as it stands now. Nobody knows who called before us: a bucket that is told begins low, and the first answer tells."""
    if state is None:
        left = bucket.kept_for_live if bucket.is_told else bucket.size
        return BucketState(left=left, at=now, size=bucket.size, per_second=bucket.per_second)
    left = min(state.left + state.per_second * max(now - state.at, 0), state.size)
    return replace(state, left=left, at=max(now, state.at))


def heard_of_bucket(bucket: Bucket, state: BucketState | None, heard: Heard) -> BucketState:
    """The state after an answer."""
    present, level = filled(bucket, state, heard.now), heard.level
    if level is None:
        return present
    size, per_second = level.size or present.size, level.per_second or present.per_second
    if not bucket.is_told:
        left = min(present.left, max(level.left - heard.beside, 0))
        return BucketState(left=left, at=heard.now, size=size, per_second=per_second)
    return BucketState(left=max(level.left - heard.uncounted, 0), at=heard.now, size=size, per_second=per_second)
