"""One account: calls at once, refusals, places in the queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zixly_core.api_limits import Bucket, Concurrent, FixedWindow, Lane, Level, Limits
from zixly_core.budget_account import BUSY, CALL_SECONDS, Account, Ask, Outcome, Permit, asked, heard
from zixly_core.budget_windows import Wait
from zixly_core.systems.asana.limits import asana_limits
from zixly_core.systems.hubspot.limits import hubspot_limits
from zixly_core.systems.shopify.limits import shopify_limits

NOW = 1_000_000.0
ANSWERED = Outcome("answered")


def ask(name: str, *, lane: Lane = "live", cost: int = 1, is_read: bool = True, windows: tuple[str, ...] = ()) -> Ask:
    return Ask(name, lane, cost, is_read, frozenset(windows))


def permit(account: Account, limits: Limits, wanted: Ask, *, now: float = NOW) -> tuple[Account, Permit]:
    after, answer = asked(account, limits, wanted, now=now)
    assert isinstance(answer, Permit)
    return after, answer


def refusal(account: Account, limits: Limits, wanted: Ask, *, now: float = NOW) -> Wait:
    _, answer = asked(account, limits, wanted, now=now)
    assert isinstance(answer, Wait)
    return answer


def test_five_at_once_of_which_bulk_work_leaves_one_to_live_work() -> None:
    limits, account = Limits(concurrent=(Concurrent(5, kept_for_live=1),)), Account()
    for number in range(4):
        account, _ = permit(account, limits, ask(f"bulk-{number}", lane="bulk"))
    assert refusal(account, limits, ask("bulk-4", lane="bulk")).window == BUSY
    account, fifth = permit(account, limits, ask("live-0"))
    assert refusal(account, limits, ask("live-1")).window == BUSY
    account = heard(account, limits, fifth, ANSWERED, now=NOW)
    permit(account, limits, ask("live-1"))


def test_a_place_whose_holder_died_is_free_again_after_its_time() -> None:
    limits = Limits(concurrent=(Concurrent(1, kept_for_live=0),))
    account, _ = permit(Account(), limits, ask("died"))
    assert refusal(account, limits, ask("next"), now=NOW + CALL_SECONDS - 1).window == BUSY
    permit(account, limits, ask("next"), now=NOW + CALL_SECONDS)


def test_asanas_reads_and_writes_have_places_of_their_own_and_a_batch_takes_ten() -> None:
    limits = asana_limits({"calls_per_minute": 1_500})
    account, _ = permit(Account(), limits, ask("batch", cost=10, is_read=False, windows=("minute",)))
    assert refusal(account, limits, ask("second", cost=10, is_read=False, windows=("minute",))).window == BUSY
    account, _ = permit(account, limits, ask("one-write", is_read=False, windows=("minute",)))
    for number in range(5):
        account, _ = permit(account, limits, ask(f"reads-{number}", cost=10, windows=("minute",)))
    assert refusal(account, limits, ask("read", windows=("minute",))).window == BUSY


def test_asanas_free_plan_lets_no_more_than_150_through_in_any_minute() -> None:
    limits, account, sent = asana_limits({}), Account(), list[float]()
    now = NOW
    while now < NOW + 180:
        account, answer = asked(account, limits, ask(f"call-{now}", windows=("minute",)), now=now)
        if isinstance(answer, Permit):
            sent.append(now)
            account = heard(account, limits, answer, ANSWERED, now=now)
        now += 0.05
    assert max(sum(1 for one in sent if begin <= one < begin + 60) for begin in sent) <= 150
    assert len(sent) > 3 * 150 * 0.8


def test_hubspots_searches_have_a_limit_of_their_own() -> None:
    limits, account = hubspot_limits({}), Account()
    for number in range(2):
        account, given = permit(account, limits, ask(f"search-{number}", windows=("search",)))
        account = heard(account, limits, given, ANSWERED, now=NOW)
    assert refusal(account, limits, ask("search-2", windows=("search",))).window == "search"
    permit(account, limits, ask("read", windows=("interval",)))


def test_a_hubspot_portal_that_others_call_too_is_called_less() -> None:
    limits = hubspot_limits({})
    account, given = permit(Account(), limits, ask("read", windows=("interval",)))
    account = heard(account, limits, given, Outcome("answered", {"interval": Level(2)}), now=NOW)
    for number in range(2):
        account, _ = permit(account, limits, ask(f"read-{number}", windows=("interval",)))
    assert refusal(account, limits, ask("read-2", windows=("interval",))).window == "interval"


def test_a_days_limit_that_no_answer_tells_of_holds_nothing_back() -> None:
    limits = Limits((FixedWindow("day", seconds=86_400, limit=None, kept_for_live=100),))
    account, given = permit(Account(), limits, ask("first", lane="bulk", windows=("day",)))
    account = heard(account, limits, given, ANSWERED, now=NOW)
    account, given = permit(account, limits, ask("second", lane="bulk", windows=("day",)))
    account = heard(account, limits, given, Outcome("answered", {"day": Level(90)}), now=NOW)
    kept = refusal(account, limits, ask("third", lane="bulk", windows=("day",)))
    assert (kept.window, kept.only_bulk) == ("day", True)
    permit(account, limits, ask("live", windows=("day",)))


def test_a_spent_day_is_looked_at_each_hour_until_an_answer_tells_its_end() -> None:
    limits = Limits((FixedWindow("day", seconds=86_400, limit=5_000, kept_for_live=200),))
    account, given = permit(Account(), limits, ask("first", windows=("day",)))
    account = heard(account, limits, given, Outcome("answered", {"day": Level(0)}), now=NOW)
    assert refusal(account, limits, ask("next", windows=("day",)), now=NOW + 3_000).seconds > 80_000
    account, look = permit(account, limits, ask("look", windows=("day",)), now=NOW + 3_601)
    assert isinstance(asked(account, limits, ask("other", windows=("day",)), now=NOW + 3_602)[1], Wait)
    account = heard(account, limits, look, Outcome("refused", refused="day", wait=7_200), now=NOW + 3_602)
    assert refusal(account, limits, ask("next", windows=("day",)), now=NOW + 8_000).seconds == pytest.approx(2_802)
    permit(account, limits, ask("next", windows=("day",)), now=NOW + 3_602 + 7_200)


def test_shopifys_points_are_what_the_answers_say_and_what_is_given_back_can_be_used() -> None:
    limits, account = shopify_limits({}), Account()
    account, given = permit(account, limits, ask("first", cost=100, windows=("points",)))
    told = Outcome("answered", {"points": Level(1_990, size=2_000, per_second=100)})
    account = heard(account, limits, given, told, now=NOW)
    for number in range(19):
        account, _ = permit(account, limits, ask(f"query-{number}", cost=100, windows=("points",)))
    short = refusal(account, limits, ask("query-19", cost=100, windows=("points",)))
    assert short.seconds == pytest.approx(0.1)
    permit(account, limits, ask("query-19", cost=100, windows=("points",)), now=NOW + 0.1)


def test_bulk_work_leaves_shopify_points_to_live_work() -> None:
    limits, account = shopify_limits({}), Account()
    account, given = permit(account, limits, ask("first", cost=100, windows=("points",)))
    account = heard(account, limits, given, Outcome("answered", {"points": Level(250, size=1_000, per_second=100)}), now=NOW)
    assert refusal(account, limits, ask("bulk", lane="bulk", cost=100, windows=("points",))).only_bulk
    permit(account, limits, ask("live", cost=100, windows=("points",)))


def test_bulk_work_may_ask_an_account_of_which_nothing_is_known_yet() -> None:
    """Else a shop without live events would never be asked: what is kept for live work is all that it begins with."""
    limits = shopify_limits({})
    account, given = permit(Account(), limits, ask("first", lane="bulk", cost=100, windows=("points",)))
    assert refusal(account, limits, ask("beside", lane="bulk", cost=100, windows=("points",))).seconds > 0
    account = heard(account, limits, given, Outcome("answered", {"points": Level(1_900, size=2_000, per_second=100)}), now=NOW)
    permit(account, limits, ask("second", lane="bulk", cost=100, windows=("points",)))


def test_a_query_that_is_larger_than_the_bucket_waits_for_the_whole_of_it_and_not_for_ever() -> None:
    limits = Limits((Bucket("points", size=50, per_second=10, kept_for_live=0),))
    account, _ = permit(Account(), limits, ask("large", cost=80, windows=("points",)))
    wait = refusal(account, limits, ask("next", cost=80, windows=("points",)))
    assert wait.seconds == pytest.approx(8)
    permit(account, limits, ask("next", cost=80, windows=("points",)), now=NOW + wait.seconds)


def test_after_a_refusal_the_account_is_left_alone_for_as_long_as_the_vendor_asked() -> None:
    limits = hubspot_limits({})
    account, given = permit(Account(), limits, ask("read", windows=("interval",)))
    account = heard(account, limits, given, Outcome("refused", refused="interval", wait=10), now=NOW)
    assert refusal(account, limits, ask("next", windows=("interval",)), now=NOW + 4).seconds == pytest.approx(6)
    permit(account, limits, ask("next", windows=("interval",)), now=NOW + 10)


def test_bulk_calls_that_cannot_go_are_told_to_come_back_one_after_the_other() -> None:
    limits = Limits((FixedWindow("minute", seconds=60, limit=60, kept_for_live=0),))
    account, given = permit(Account(), limits, ask("first", windows=("minute",)))
    account = heard(account, limits, given, Outcome("refused", refused="minute", wait=30), now=NOW)
    waits = []
    for number in range(100):
        account, answer = asked(account, limits, ask(f"bulk-{number}", lane="bulk", windows=("minute",)), now=NOW)
        assert isinstance(answer, Wait)
        waits.append(answer)
    assert [round(wait.seconds) for wait in waits] == list(range(30, 130))
    assert [wait.only_bulk for wait in waits[:2]] == [False, True], "only the first wait is the account's own"
    assert refusal(account, limits, ask("live", windows=("minute",))).seconds == pytest.approx(30)


def test_a_wait_that_the_caller_waits_out_takes_no_place_in_the_queue() -> None:
    limits = Limits((Bucket("minute", size=1, per_second=1, kept_for_live=0),))
    account, _ = permit(Account(), limits, ask("first", lane="bulk", windows=("minute",)))
    after, _ = asked(account, limits, ask("second", lane="bulk", windows=("minute",)), now=NOW, patience=2)
    assert after == replace(account)
