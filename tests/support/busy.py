"""Time limits on a machine that has other things to do: what is promised for a free core takes longer where several share it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Beyond this a limit proves nothing any more.
MOST = 4.0
# A machine that stands still in each of so many rounds is no machine to try moments on.
ROUNDS = 8


def longest(seconds: float) -> float:
    """The limit in seconds: as given while each process finds a core, else in proportion to the machine's load."""
    load, _, _ = os.getloadavg()
    return seconds * min(MOST, max(1.0, load / (os.cpu_count() or 1)))


def undisturbed(one_round: Callable[[], T], *, seconds: float, before_each: Callable[[], object] = lambda: None) -> T:
    """What the first round said that took less than `seconds`. Where moments count, a round in which the machine stood still for a while
    says nothing about what is tested: it is repeated."""
    for _ in range(ROUNDS):
        before_each()
        began = time.monotonic()
        said = one_round()
        if time.monotonic() - began < seconds:
            return said
    raise AssertionError(f"none of {ROUNDS} rounds took less than {seconds:.2f} s")
