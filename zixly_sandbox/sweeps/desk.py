"""The sweep service as the gate sees it, and its sweeps: computed beside the server's work, told as finished when their time is over."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from random import Random
from typing import Any

from zixly_sandbox.clock import Clock, iso_milliseconds
from zixly_sandbox.http import Answer, Call, Headers, System, header, json_answer
from zixly_sandbox.rules import SweepRules
from zixly_sandbox.sweeps.crossovers import Outcome, first_day, market_of, sweep
from zixly_sandbox.sweeps.prices import DAYS, prices_of
from zixly_sandbox.sweeps.wishes import Wish
from zixly_sandbox.usage import WriteLog


@dataclass(eq=False)
class Sweep:
    """One sweep. `failure` is the word for why it failed."""

    id: str
    wish: Wish
    accepted_at: float
    work: Future[dict[str, Any]] = field(repr=False)
    failure: str | None = None


class Visit:
    """Whoever reaches the service may use it, as often as they like."""

    def headers(self) -> Headers:
        return ()

    def leave(self) -> None:
        """Nothing is counted."""


class SweepsDesk:
    """The service with all its sweeps, in memory."""

    system: System = "sweeps"

    def __init__(self, *, clock: Clock, rules: SweepRules, writes: WriteLog, seed: int, workers: Executor) -> None:
        self.clock = clock
        self.rules = rules
        self.sweeps: dict[str, Sweep] = {}
        self._writes = writes
        self._seed = seed
        self._random = Random(seed)
        self._by_key: dict[str, Sweep] = {}
        self._to_call_back: list[Sweep] = []
        self._workers = workers

    def admit(self, call: Call) -> Visit | Answer:
        return Visit()

    def failure(self, status: int, *, retry_after: float) -> Answer:
        headers = (header("Retry-After", int(retry_after)),) if status == 429 and retry_after else ()
        return json_answer({"error": {"code": "unavailable" if status >= 500 else "too_many"}}, status=status, headers=headers)

    def known(self, key: str | None) -> Sweep | None:
        """The sweep that was started with this key."""
        return self._by_key.get(key) if key else None

    def start(self, wish: Wish, *, key: str | None) -> Sweep:
        number = f"sw_{self._random.getrandbits(64):016x}"
        made = Sweep(number, wish, self.clock.seconds(), self._workers.submit(computed, number, wish, seed=self._seed))
        self.sweeps[made.id] = made
        if key:
            self._by_key[key] = made
        if wish.callback_url:
            self._to_call_back.append(made)
        self._writes.add(
            at=iso_milliseconds(self.clock.milliseconds()),
            system="sweeps",
            account="",
            operation="start",
            object_type="sweep",
            object_id=made.id,
            properties=wish.request,
            idempotency_key=key,
        )
        return made

    def state_of(self, one: Sweep) -> dict[str, Any]:
        """Status and progress; a sweep takes as long as the rules say, and as long as its computing takes."""
        share = self._share_of_time(one)
        if one.failure and share >= 1:
            return {"job_id": one.id, "status": "failed", "progress": 1, "error": one.failure}
        if share >= 1 and one.work.done():
            return {"job_id": one.id, "status": "finished", "progress": 1, "error": None}
        return {"job_id": one.id, "status": "running" if share > 0 else "pending", "progress": round(min(share, 0.99), 2), "error": None}

    def result_of(self, one: Sweep) -> dict[str, Any] | None:
        """None while there is none."""
        return one.work.result() if self.state_of(one)["status"] == "finished" else None

    def to_call_back(self) -> list[Sweep]:
        """The sweeps that are over and were not told of yet; each is given once."""
        over = [one for one in self._to_call_back if self.state_of(one)["status"] in {"finished", "failed"}]
        self._to_call_back = [one for one in self._to_call_back if one not in over]
        return over

    def _share_of_time(self, one: Sweep) -> float:
        passed = self.clock.seconds() - one.accepted_at
        return passed / self.rules.seconds if self.rules.seconds else 1.0


def computed(number: str, wish: Wish, *, seed: int) -> dict[str, Any]:
    """The result as it is told."""
    longest = wish.grid.slow[-1]
    prices = prices_of(wish.ticker, seed=seed, days=max(DAYS, 2 * longest))
    outcomes: list[Outcome] = sweep(prices, wish.grid, wish.strategy)
    return {
        "job_id": number,
        "ticker": wish.ticker,
        "strategy_type": wish.strategy,
        "prices": len(prices),
        "buy_and_hold": market_of(prices, begin=first_day(wish.grid)).buy_and_hold,
        "pairs": [one.document() for one in outcomes],
    }


def text_of(result: Mapping[str, Any]) -> str:
    """The pairs as CSV."""
    columns = list(result["pairs"][0])
    lines = [",".join(columns), *(",".join(str(pair[name]) for name in columns) for pair in result["pairs"])]
    return "\r\n".join(lines) + "\r\n"
