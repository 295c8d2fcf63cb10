"""What a caller of the sweep service asks for, checked as a service of its own would: not with the platform's code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from zixly_sandbox.sweeps.crossovers import Grid, Strategy

FIELDS = frozenset({"ticker", "fast_range", "slow_range", "step", "strategy_type", "callback_url", "callback_secret"})
TICKER = re.compile(r"[A-Za-z0-9.^=:_-]{1,20}")
LONGEST = 1_000
MAX_PAIRS = 10_000


class WrongField(ValueError):
    """The request cannot be done. `field` names what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Wish:
    """A sweep that can be done. The callback is posted to once, signed when there is a secret."""

    ticker: str
    grid: Grid
    strategy: Strategy
    request: Mapping[str, Any]
    callback_url: str | None = None
    callback_secret: str | None = None


def wish_from(document: Mapping[str, Any]) -> Wish:
    """Raises `WrongField`."""
    for name in document:
        if name not in FIELDS:
            raise WrongField(name, "there is no such field")
    ticker, strategy = document.get("ticker"), document.get("strategy_type")
    if not isinstance(ticker, str) or not TICKER.fullmatch(ticker):
        raise WrongField("ticker", "a ticker of at most 20 characters is wanted")
    if strategy not in {"SMA", "EMA"}:
        raise WrongField("strategy_type", "SMA or EMA is wanted")
    step = length(document.get("step", 1), "step")
    grid = Grid(lengths(document.get("fast_range"), "fast_range", step), lengths(document.get("slow_range"), "slow_range", step))
    pairs = sum(1 for _ in grid.pairs())
    if not 0 < pairs <= MAX_PAIRS:
        raise WrongField("slow_range", f"the grid has {pairs} pairs with the fast length below the slow one; 1 to {MAX_PAIRS} are taken")
    request = {name: document.get(name) for name in ("ticker", "fast_range", "slow_range", "strategy_type")} | {"step": step}
    return Wish(ticker, grid, strategy, request, callback_of(document), document.get("callback_secret"))


def lengths(value: object, name: str, step: int) -> range:
    if not isinstance(value, list) or len(value) != 2:
        raise WrongField(name, "a list of the lowest and the highest length is wanted")
    low, high = (length(one, name) for one in value)
    if low > high:
        raise WrongField(name, "the lowest length is above the highest")
    return range(low, high + 1, step)


def length(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST:
        raise WrongField(name, f"whole numbers from 1 to {LONGEST} are wanted")
    return value


def callback_of(document: Mapping[str, Any]) -> str | None:
    url = document.get("callback_url")
    if url is None:
        return None
    if not isinstance(url, str) or urlsplit(url).scheme not in {"http", "https"}:
        raise WrongField("callback_url", "an address of the web is wanted")
    return url
