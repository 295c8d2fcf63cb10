"""What every store of rates does, in memory and on a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic, sleep
from uuid import uuid4

import pytest

from tests.support.busy import undisturbed
from tests.support.servers import ValkeyServer
from zixly_core.errors import QueueUnavailable
from zixly_core.rates.limiter import RateLimiter
from zixly_core.rates.memory import MemoryRates
from zixly_core.rates.rate import Rate, RateStore, Taken
from zixly_core.rates.redis_windows import open_from_url

pytestmark = pytest.mark.contract
SHORT = timedelta(seconds=0.4)


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[RateStore]:
    opened: RateStore = MemoryRates() if request.param == "memory" else open_from_url(request.getfixturevalue("valkey_server").url)
    yield opened
    opened.close()


def rate(limit: int, window: timedelta = timedelta(minutes=1)) -> Rate:
    """One that no other test counts under."""
    return Rate(f"test-{uuid4().hex}", limit, window)


def test_so_many_are_allowed_and_no_more(store: RateStore) -> None:
    three = rate(3)
    began = monotonic()
    taken = [store.take(three, "a") for _ in range(5)]
    seconds = monotonic() - began
    assert [one.is_allowed for one in taken] == [True, True, True, False, False]
    assert [one.remaining for one in taken] == [2, 1, 0, 0, 0]
    assert all(60 - seconds <= one.reset_seconds <= 60 for one in taken)


def test_subjects_and_rates_are_counted_apart(store: RateStore) -> None:
    one = rate(1)
    assert store.take(one, "a").is_allowed
    assert not store.take(one, "a").is_allowed
    assert store.take(one, "b").is_allowed
    assert store.take(rate(1), "a").is_allowed


def test_the_window_slides_and_does_not_begin_anew_on_the_minute(store: RateStore) -> None:
    """Two at the end of one window and two at the beginning of the next would be four within a moment."""

    def slides() -> list[bool]:
        two, allowed = rate(2, SHORT), list[bool]()
        for pause in (0, 0.75, 0.5, 0):
            sleep(SHORT.total_seconds() * pause)
            allowed.append(store.take(two, "a").is_allowed)
        return allowed

    # At the third the first has left the window; at the fourth, which comes within a window of it, the second has not.
    assert undisturbed(slides, seconds=SHORT.total_seconds() * 1.75) == [True, True, True, False]


def test_what_was_refused_is_not_counted(store: RateStore) -> None:
    """Somebody who asks all the time gets his rate, and not nothing."""

    def asked() -> tuple[Rate, list[Taken]]:
        one = rate(1, SHORT)
        return one, [store.take(one, "a") for _ in range(4)]

    one, taken = undisturbed(asked, seconds=SHORT.total_seconds())
    assert [each.is_allowed for each in taken] == [True, False, False, False]
    sleep(max(taken[-1].reset.total_seconds(), 0) + 0.02)
    assert store.take(one, "a").is_allowed


def test_many_at_once_are_counted_exactly(store: RateStore) -> None:
    many = rate(100)
    with ThreadPoolExecutor(16) as threads:
        allowed = sum(taken.is_allowed for taken in threads.map(lambda _: store.take(many, "a"), range(300)))
    assert allowed == 100


def test_processes_share_a_count(valkey_server: ValkeyServer) -> None:
    one, other, five = open_from_url(valkey_server.url), open_from_url(valkey_server.url), rate(5)
    allowed = [store.take(five, "a").is_allowed for store in (one, other) * 5]
    assert allowed == [True] * 5 + [False] * 5
    one.close()
    other.close()


def test_nothing_personal_is_kept_and_what_is_kept_goes_by_itself(own_valkey: ValkeyServer) -> None:
    store = open_from_url(own_valkey.url)

    def kept() -> list[tuple[bytes, int]]:
        store.take(rate(5, SHORT), "203.0.113.9")
        return [(key, store._client.zcard(key)) for key in store._client.keys("*")]

    ((key, count),) = undisturbed(kept, seconds=SHORT.total_seconds(), before_each=store._client.flushall)
    assert b"203" not in key
    assert count == 1
    sleep(SHORT.total_seconds() + 0.1)
    assert store._client.keys("*") == []
    store.close()


def test_a_server_that_is_away_is_named_as_that(own_valkey: ValkeyServer) -> None:
    store = open_from_url(own_valkey.url)
    own_valkey.stop()
    with pytest.raises(QueueUnavailable):
        store.take(rate(5), "a")
    store.close()


def test_while_the_server_is_away_each_process_counts_by_itself_and_then_together_again(own_valkey: ValkeyServer) -> None:
    two, now, missed = rate(2), [0.0], list[Rate]()
    store = open_from_url(own_valkey.url)
    limiter = RateLimiter(store, on_unavailable=missed.append, clock=lambda: now[0])
    assert limiter.take(two, "a").is_allowed
    own_valkey.stop()
    assert [limiter.take(two, "a").is_allowed for _ in range(3)] == [True, True, False]
    assert missed == [two] * 3
    own_valkey.start()
    now[0] += 2
    assert limiter.take(two, "a").is_allowed
    assert len(missed) == 3
    store.close()
