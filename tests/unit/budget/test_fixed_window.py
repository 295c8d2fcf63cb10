"""Xero's minute: a window that ends at a moment nobody tells, shared by callers in any number."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.unit.budget.simulation import Vendor, World
from zixly_core.api_limits import FixedWindow, Limits
from zixly_core.budget_account import Outcome
from zixly_core.systems.xero.limits import xero_limits

MINUTE = 60.0


def world(seed: int, *, phase: float | None = None, slowest: float = 0.6, headers: bool = True, used: int = 0) -> World:
    """An organisation's minute and its calls at once, at a phase of the seed's choice; somebody has `used` calls already."""
    chance = random.Random(seed)
    limits = xero_limits({})
    vendor = Vendor(phase=chance.uniform(0, MINUTE) if phase is None else phase, headers=headers)
    made = World(replace(limits, windows=limits.windows[:1]), vendor, chance, latency=(0.05, slowest))
    for _ in range(used):
        vendor.call(made.now)
    return made


def hammered(made: World, *, bulk: int = 0, live: int = 0, minutes: float) -> None:
    for _ in range(bulk):
        made.after(made.random.random(), lambda: made.hammer("bulk"))
    for _ in range(live):
        made.after(made.random.random(), lambda: made.hammer("live"))
    made.run(made.now + minutes * MINUTE)


def utilisation(vendor: Vendor) -> float:
    """Of the windows that were ours from beginning to end."""
    whole = sorted(vendor.served)[1:-1]
    return sum(vendor.served[number] for number in whole) / (vendor.limit * len(whole))


@pytest.mark.parametrize("seed", range(12))
def test_no_call_is_refused_and_nearly_all_of_each_minute_is_used(seed: int) -> None:
    made = world(seed, slowest=(0.2, 0.6, 2.0)[seed % 3])
    hammered(made, bulk=8, minutes=10)
    assert made.vendor.refused == 0
    assert utilisation(made.vendor) > 0.9
    assert made.vendor.most_busy <= 4, "one of five places is kept for live work"


@pytest.mark.parametrize("seed", range(6))
def test_live_calls_go_at_once_beside_a_backfill(seed: int) -> None:
    made = world(seed)
    for event in range(20):
        made.after(event * 15 + made.random.uniform(0, 10), lambda: made.call("live", then=lambda: made.call("live")))
    hammered(made, bulk=8, minutes=10)
    assert made.vendor.refused == 0
    waited = sorted(made.waited["live"])
    assert len(waited) == 40
    assert waited[37] < 10


def test_twenty_live_events_at_one_moment_find_the_minutes_reserve() -> None:
    made = world(3, phase=0)
    hammered(made, bulk=8, minutes=0.5)
    for _ in range(10):
        made.call("live")
    began = made.now
    made.run(began + 10)
    assert len(made.waited["live"]) == 10
    assert made.vendor.refused == 0


def test_a_minute_that_somebody_else_spent_costs_one_refusal_which_tells_its_end() -> None:
    made = world(1, phase=0, used=60)
    hammered(made, bulk=8, minutes=5)
    assert made.vendor.refused == 1
    assert utilisation(made.vendor) > 0.9


def test_a_minute_that_somebody_else_half_spent_costs_no_refusal() -> None:
    made = world(1, phase=10, used=40)
    hammered(made, bulk=8, minutes=5)
    assert made.vendor.refused == 0


def test_a_vendor_whose_answers_tell_nothing_is_called_by_one_at_a_time_and_refuses_once_a_minute() -> None:
    made = world(2, headers=False)
    hammered(made, bulk=8, minutes=10)
    assert made.vendor.most_busy == 1
    assert 0 < made.vendor.refused <= 11


def test_an_account_that_nobody_has_called_yet_is_asked_by_one_call_first() -> None:
    made = world(5)
    for _ in range(5):
        made.call("live")
    assert len(made.waited["live"]) == 1
    made.run(made.now + 5)
    assert len(made.waited["live"]) == 5
    assert max(made.waited["live"]) < 1.5


def test_after_a_quiet_night_what_was_known_to_be_left_still_is() -> None:
    made = world(5)
    made.call("live")
    made.run(made.now + 8 * 3600)
    for _ in range(5):
        made.call("live")
    assert made.waited["live"] == [0.0] * 6
    made.run(made.now + 5)
    assert made.vendor.refused == 0


def test_what_bulk_work_leaves_shrinks_with_the_time_that_the_window_has_left() -> None:
    """With everything else spent, a bulk call gets one of the twelve that were kept each five seconds."""
    window = FixedWindow("minute", seconds=60, limit=60, kept_for_live=12)
    made = World(Limits((window,)), Vendor(phase=0), random.Random(1), now=1_020.0, latency=(0.01, 0.02))
    hammered(made, bulk=1, minutes=0.1)
    early = sum(made.vendor.served.values())
    assert early in {48, 49, 50}
    made.run(1_020.0 + 55)
    assert sum(made.vendor.served.values()) >= 57
    assert made.vendor.refused == 0


def test_a_backlog_of_live_work_leaves_a_few_calls_of_a_minute_to_what_is_urgent() -> None:
    made = World(xero_limits({}), Vendor(phase=0), random.Random(1), now=1_020.0, latency=(0.01, 0.02))
    hammered(made, live=8, minutes=0.4)
    assert 56 <= sum(made.vendor.served.values()) < 60
    made.call("urgent")
    assert made.waited["urgent"] == [0.0]
    assert made.vendor.refused == 0


def test_a_call_whose_answer_is_lost_counts_as_sent() -> None:
    made = world(7, phase=0)
    made.vendor.call = lambda now: Outcome("lost")  # type: ignore[method-assign]
    for _ in range(3):
        made.call("live")
        made.run(made.now + 1)
    assert made.account.sent == 3
    assert made.account.under_way == ()
