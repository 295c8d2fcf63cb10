"""Made-up prices: a geometric random walk that is the same for the same ticker and seed."""

from __future__ import annotations

from math import exp
from random import Random

DAYS = 1_000
TICKS = 10_000
FIRST_PRICE = 100.0
# Of the logarithm of a day's price over the day before: about 8 % and 24 % in a year of 252 days.
DAILY_DRIFT = 0.0003
DAILY_DEVIATION = 0.015


def prices_of(ticker: str, *, seed: int, days: int = DAYS) -> list[int]:
    """Closing prices in ten-thousandths, oldest first, all above zero. Whole numbers, so that sums of them are exact."""
    random = Random(f"{seed}:{ticker}")
    price = FIRST_PRICE
    prices = [round(price * TICKS)]
    for _ in range(days - 1):
        price *= exp(random.gauss(DAILY_DRIFT, DAILY_DEVIATION))
        prices.append(max(round(price * TICKS), 1))
    return prices
