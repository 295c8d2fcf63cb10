"""The driver: does each fault of the plan at its moment, several at once where they overlap, and writes down what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from chaos.fault_kinds import FaultKind
from chaos.faults import ACTS, TROUBLES, Scene
from chaos.ground import NotBack
from chaos.plan import Plan, PlannedFault
from chaos.reconnecting import NotReconnected

Say = Callable[[str], None]
# One that cannot be done now, as what it is for is down or idle, is tried again while changes come in.
PAUSE_SECONDS, TRIES = 5.0, 4


@dataclass(frozen=True)
class Done:
    """A fault that was done. `survived` is False when what it broke did not mend by itself."""

    kind: FaultKind
    at: float
    """Seconds since 1970."""
    seconds: float
    words: str
    survived: bool
    was_done: bool = True
    """False for one that came when it could not be done, as what it was for was down already; it counts for nothing."""


async def drive(plan: Plan, scene: Scene, *, began: float, say: Say) -> list[Done]:
    """All faults; returns when the last one is over."""
    until = began + plan.last_change_at
    return list(await asyncio.gather(*(at_its_moment(one, scene, began=began, until=until, say=say) for one in plan.faults)))


async def at_its_moment(fault: PlannedFault, scene: Scene, *, began: float, until: float, say: Say) -> Done:
    await asyncio.sleep(max(began + fault.at - time.monotonic(), 0))
    for number in range(TRIES):
        done = await asyncio.to_thread(done_now, fallen_elsewhere(fault, tries=number), scene)
        say(f"{done.kind}: {done.words}")
        if done.was_done or time.monotonic() + PAUSE_SECONDS > until:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    return done


def fallen_elsewhere(fault: PlannedFault, *, tries: int) -> PlannedFault:
    """The same fault with another throw: whom it was for may be idle for long."""
    return replace(fault, choice=(fault.choice + tries / 2) % 1)


def done_now(fault: PlannedFault, scene: Scene) -> Done:
    at, started, survived, was_done = time.time(), time.monotonic(), True, True
    try:
        words = ACTS[fault.kind](scene, fault)
    except (NotBack, NotReconnected) as error:
        words, survived = str(error), False
    except TROUBLES as error:
        words, was_done = f"could not be done then: {error or type(error).__name__}", False
    return Done(fault.kind, at, time.monotonic() - started, words, survived, was_done)
