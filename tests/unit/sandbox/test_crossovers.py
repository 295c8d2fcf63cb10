"""Moving-average crossovers, compared with the same thing written down day by day."""

from __future__ import annotations

import time
from math import isclose, sqrt
from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zixly_sandbox.sweeps.crossovers import Grid, Outcome, Strategy, average, sweep
from zixly_sandbox.sweeps.prices import prices_of

PRICES = st.lists(st.integers(1, 10_000_000), min_size=12, max_size=60)
GRID = st.builds(
    lambda fast, slow, step: Grid(range(fast, fast + 4, step), range(slow, slow + 5, step)),
    st.integers(1, 4),
    st.integers(4, 7),
    st.integers(1, 2),
)
STRATEGY: st.SearchStrategy[Strategy] = st.sampled_from(["SMA", "EMA"])


def naive_average(prices: list[int], length: int, day: int, strategy: Strategy) -> float:
    """The average of one day, from the beginning."""
    if strategy == "SMA":
        window = prices[max(0, day - length + 1) : day + 1]
        return sum(window) / len(window)
    value = float(prices[0])
    for price in prices[1 : day + 1]:
        value = value + 2 / (length + 1) * (price - value)
    return value


def naive_outcome(prices: list[int], fast: int, slow: int, strategy: Strategy, *, begin: int) -> Outcome:
    """Walk through the days: at each close decide whether to hold until the next."""
    wealth = peak = 1.0
    fall = 0.0
    daily: list[float] = []
    trades, held = 0, False
    for day in range(begin, len(prices) - 1):
        holds = naive_average(prices, fast, day, strategy) > naive_average(prices, slow, day, strategy)
        trades += holds and not held
        held = holds
        gain = prices[day + 1] / prices[day] - 1 if held else 0.0
        daily.append(gain)
        wealth *= 1 + gain
        peak = max(peak, wealth)
        fall = max(fall, 1 - wealth / peak)
    risk = stdev(daily) if len(daily) > 1 else 0.0
    sharpe = mean(daily) / risk * sqrt(252) if risk > 1e-9 else 0.0
    return Outcome(fast, slow, wealth - 1, sharpe, fall, trades)


@given(prices=PRICES, grid=GRID, strategy=STRATEGY)
def test_every_pair_does_what_walking_through_the_days_does(prices: list[int], grid: Grid, strategy: Strategy) -> None:
    begin = max(slow for _, slow in grid.pairs()) - 1
    found = {(one.fast, one.slow): one for one in sweep(prices, grid, strategy)}
    assert set(found) == set(grid.pairs())
    for (fast, slow), one in found.items():
        wanted = naive_outcome(prices, fast, slow, strategy, begin=begin)
        assert one.trades == wanted.trades
        assert isclose(one.total_return, wanted.total_return, rel_tol=1e-9, abs_tol=1e-9)
        assert isclose(one.sharpe, wanted.sharpe, rel_tol=1e-5, abs_tol=1e-6)
        assert isclose(one.max_drawdown, wanted.max_drawdown, rel_tol=1e-9, abs_tol=1e-9)


@given(prices=PRICES, length=st.integers(1, 12), strategy=STRATEGY)
def test_averages_are_those_of_the_days_up_to_each(prices: list[int], length: int, strategy: Strategy) -> None:
    found = average(prices, length, strategy)
    assert len(found) == len(prices)
    for day, value in enumerate(found):
        assert isclose(value, naive_average(prices, length, day, strategy), rel_tol=1e-12)


@given(price=st.integers(1, 10**7), grid=GRID, strategy=STRATEGY)
def test_prices_that_never_move_are_never_bought(price: int, grid: Grid, strategy: Strategy) -> None:
    assert {(one.trades, one.total_return, one.sharpe) for one in sweep([price] * 30, grid, strategy)} == {(0, 0.0, 0.0)}


def test_the_best_return_comes_first() -> None:
    returns = [one.total_return for one in sweep(prices_of("BHP.AX", seed=1), Grid(range(5, 25, 5), range(30, 80, 10)), "EMA")]
    assert returns == sorted(returns, reverse=True)


def test_a_ticker_has_the_same_prices_each_time_and_another_has_others() -> None:
    assert prices_of("BHP.AX", seed=1) == prices_of("BHP.AX", seed=1)
    assert prices_of("BHP.AX", seed=1) != prices_of("CBA.AX", seed=1)
    assert prices_of("BHP.AX", seed=1) != prices_of("BHP.AX", seed=2)


@pytest.mark.parametrize("strategy", ["SMA", "EMA"])
def test_a_grid_of_2500_pairs_on_a_thousand_prices_takes_about_a_second_of_computing(strategy: Strategy) -> None:
    """Of this process's own time, with room for a slow machine."""
    began = time.process_time()
    assert len(sweep(prices_of("BHP.AX", seed=1), Grid(range(1, 51), range(51, 101)), strategy)) == 2_500
    assert time.process_time() - began < 2
