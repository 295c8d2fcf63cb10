"""Callers against a vendor with a fixed window, in simulated time: nobody sleeps, and every run with the same seed is the same."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from zixly_core.api_limits import Lane, Level, Limits
from zixly_core.budget_account import Account, Ask, Outcome, Permit, asked, heard
from zixly_sandbox.limits import FixedWindow

PATIENCE = 2.0
Step = Callable[[], None]


@dataclass
class Vendor:
    """Counts as Xero does: a fixed window that begins when it likes, and so many calls at once."""

    limit: int = 60
    seconds: float = 60.0
    phase: float = 0.0
    at_once: int = 5
    headers: bool = True
    busy: int = 0
    most_busy: int = 0
    refused: int = 0
    served: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.window = FixedWindow(seconds=self.seconds, account="")

    def call(self, now: float) -> Outcome:
        moment = now + self.phase
        if not self.window.take(moment, limit=self.limit):
            self.refused += 1
            return Outcome("refused", refused="minute", wait=self.window.seconds_left(moment))
        self.served[int(moment // self.seconds)] += 1
        left = self.window.remaining(moment, limit=self.limit)
        return Outcome("answered", {"minute": Level(left)} if self.headers else {})


@dataclass
class World:
    """The account, the vendor, and what happens when."""

    limits: Limits
    vendor: Vendor
    random: random.Random
    account: Account = field(default_factory=Account)
    now: float = 1_000_000.0
    latency: tuple[float, float] = (0.1, 0.6)
    waited: dict[str, list[float]] = field(default_factory=lambda: {"urgent": [], "live": [], "bulk": []})
    _queue: list[tuple[float, int, Step]] = field(default_factory=list)
    _number: int = 0

    def after(self, seconds: float, step: Step) -> None:
        self._number += 1
        heapq.heappush(self._queue, (self.now + seconds, self._number, step))

    def run(self, until: float) -> None:
        while self._queue and self._queue[0][0] <= until:
            self.now, _, step = heapq.heappop(self._queue)
            step()
        self.now = until

    def call(self, lane: Lane, *, then: Step = lambda: None, since: float | None = None) -> None:
        """Ask until the call may go out, send it, and go on."""
        began = self.now if since is None else since
        ask = Ask(f"call-{self._number}-{self.random.random()}", lane, 1, True, frozenset({"minute"}))
        self.account, answer = asked(self.account, self.limits, ask, now=self.now, patience=PATIENCE)
        if not isinstance(answer, Permit):
            self.after(answer.seconds * (1 + 0.2 * self.random.random()), lambda: self.call(lane, then=then, since=began))
            return
        self.waited[lane].append(self.now - began)
        self.vendor.busy += 1
        self.vendor.most_busy = max(self.vendor.most_busy, self.vendor.busy)
        there, back = (self.random.uniform(*self.latency) / 2 for _ in range(2))
        self.after(there, lambda: self._arrive(answer, back, then))

    def _arrive(self, permit: Permit, back: float, then: Step) -> None:
        outcome = self.vendor.call(self.now)
        self.after(back, lambda: self._return(permit, outcome, then))

    def _return(self, permit: Permit, outcome: Outcome, then: Step) -> None:
        self.vendor.busy -= 1
        self.account = heard(self.account, self.limits, permit, outcome, now=self.now)
        then()

    def hammer(self, lane: Lane) -> None:
        """A caller that calls for ever."""
        self.call(lane, then=lambda: self.hammer(lane))
