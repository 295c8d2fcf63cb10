"""Moving-average crossovers: hold while the fast average is above the slow one, be out of the market otherwise.

What a day's close decides is done on the next day. All pairs are judged over the same days, from the first one on which the longest
average is known, so that they can be compared. A grid of 50 x 50 pairs on 1,000 prices takes about half a second: what is the same
for many pairs is computed once, and the inner loops are iterators.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate, compress
from math import exp, log, sqrt
from operator import gt, sub
from typing import Any, Literal

Strategy = Literal["SMA", "EMA"]
DAYS_PER_YEAR = 252


@dataclass(frozen=True)
class Grid:
    """The lengths to try, in days; of their pairs those whose fast one is the shorter."""

    fast: range
    slow: range

    def pairs(self) -> Iterator[tuple[int, int]]:
        return ((fast, slow) for fast in self.fast for slow in self.slow if fast < slow)


@dataclass(frozen=True)
class Outcome:
    """What a pair would have done. `total_return` and `max_drawdown` are shares of 1, `sharpe` is per year, without a riskless rate."""

    fast: int
    slow: int
    total_return: float
    sharpe: float
    max_drawdown: float
    trades: int

    def document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Market:
    """The days that are traded: each day's return, its square, and its logarithm, from which sums over any choice of days follow."""

    returns: list[float]
    squares: list[float]
    logs: list[float]

    @property
    def buy_and_hold(self) -> float:
        return exp(sum(self.logs)) - 1


def sweep(prices: Sequence[int], grid: Grid, strategy: Strategy) -> list[Outcome]:
    """All pairs of the grid, best return first; of equal ones the shorter lengths."""
    begin = first_day(grid)
    market = market_of(prices, begin=begin)
    lengths = {length for pair in grid.pairs() for length in pair}
    averages = {length: average(prices, length, strategy)[begin:-1] for length in lengths}
    outcomes = [outcome_of(averages, market, fast=fast, slow=slow) for fast, slow in grid.pairs()]
    return sorted(outcomes, key=lambda one: (-one.total_return, one.fast, one.slow))


def first_day(grid: Grid) -> int:
    """The first day on which every average of the grid is known."""
    return max(slow for _, slow in grid.pairs()) - 1


def market_of(prices: Sequence[int], *, begin: int) -> Market:
    """The market of the days after `begin`."""
    ratios = [after / before for before, after in zip(prices[begin:], prices[begin + 1 :], strict=False)]
    returns = [ratio - 1 for ratio in ratios]
    return Market(returns, [one * one for one in returns], [log(ratio) for ratio in ratios])


def average(prices: Sequence[int], length: int, strategy: Strategy) -> list[float]:
    """The moving average of each day. Of an SMA the first `length - 1` are of the days there are. Sums of whole prices are exact, so
    two averages that are equal are seen as equal."""
    if strategy == "EMA":
        weight = 2 / (length + 1)
        return list(accumulate(prices, lambda before, price: before + weight * (price - before)))
    sums = list(accumulate(prices, initial=0))
    early = [sums[day] / day for day in range(1, min(length, len(prices)))]
    return early + [(after - before) / length for before, after in zip(sums, sums[length:], strict=False)]


def outcome_of(averages: dict[int, list[float]], market: Market, *, fast: int, slow: int) -> Outcome:
    held = list(map(gt, averages[fast], averages[slow]))
    kept = list(compress(market.logs, held))
    return Outcome(
        fast=fast,
        slow=slow,
        total_return=exp(sum(kept)) - 1,
        sharpe=sharpe_of(total=sum(compress(market.returns, held)), squares=sum(compress(market.squares, held)), days=len(market.returns)),
        max_drawdown=drawdown_of(kept),
        trades=int(held[0]) + sum(map(gt, held[1:], held)) if held else 0,
    )


def sharpe_of(*, total: float, squares: float, days: int) -> float:
    """The mean of the daily returns over their deviation, in years; 0 where nothing was risked."""
    if days < 2:
        return 0.0
    mean = total / days
    variance = (squares - days * mean * mean) / (days - 1)
    return mean / sqrt(variance) * sqrt(DAYS_PER_YEAR) if variance > 1e-18 else 0.0


def drawdown_of(logs: Sequence[float]) -> float:
    """The deepest fall below an earlier high; days out of the market change nothing."""
    wealth = list(accumulate(logs, initial=0.0))
    return 1 - exp(-max(map(sub, accumulate(wealth, max), wealth)))
