"""The keeper of access tokens, over the store in memory and a vendor at the lowest seam."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest

from tests.unit.clients.vendor import Answers, Vendor, answered
from zixly_core.errors import ConnectionBusy, Disconnected, Permanent, Transient
from zixly_core.job import failure_from
from zixly_core.oauth import OAuthApp, TokenExchange
from zixly_core.stores.tokens import BUSY_WAIT, MemoryTokenStore
from zixly_core.token_store import Connection, TokenSet, packed, unpacked
from zixly_core.tokens import PATIENCE, TokenKeeper

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
XERO = Connection(id=UUID(int=1), tenant_id=UUID(int=2), system="xero", external_id="c2cc9b6e")
APP = OAuthApp("xero", "https://identity.vendor.test/connect/token", "app", "app-secret", "client_secret_basic")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def pair(number: int, *, seconds: int = 1800) -> httpx2.Response:
    return answered(
        {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}", "expires_in": seconds, "token_type": "Bearer"}
    )


class Kept:
    """A keeper with what it was built from."""

    def __init__(self, tokens: TokenSet | None, answers: Answers, *, app: OAuthApp = APP) -> None:
        self.vendor = Vendor(answers)
        self.store = MemoryTokenStore()
        self.clock = Clock()
        if tokens is not None:
            self.store.put(XERO, tokens)
        self.keeper = TokenKeeper(self.store, lambda _: TokenExchange(self.vendor.http, app), now=self.clock)
        self.tokens = self.keeper.of(XERO)


def authorised(*, minutes: float = 30) -> TokenSet:
    return TokenSet("access-0", "refresh-0", NOW + timedelta(minutes=minutes))


def test_a_good_token_is_used_without_asking_the_vendor() -> None:
    kept = Kept(authorised(), [])
    assert kept.tokens.current() == "access-0"


def test_a_cached_token_is_used_without_reading_the_store_until_it_is_about_to_end() -> None:
    kept = Kept(authorised(minutes=10), [pair(1)])
    assert kept.tokens.current() == "access-0"
    kept.store.put(XERO, TokenSet("put-by-another", "refresh-9", NOW + timedelta(minutes=60)))
    assert kept.tokens.current() == "access-0"
    kept.clock.now += timedelta(minutes=9, seconds=1)
    assert kept.tokens.current() == "put-by-another"
    assert kept.vendor.requests == []


def test_a_token_that_ends_within_a_minute_is_exchanged_and_the_pair_is_kept() -> None:
    kept = Kept(authorised(minutes=0.9), [pair(1)])
    assert kept.tokens.current() == "access-1"
    stored = kept.store.read(XERO)
    assert stored.tokens == TokenSet("access-1", "refresh-1", NOW + timedelta(minutes=30))
    assert stored.version == 2


def test_a_connection_that_was_just_authorised_gets_its_first_access_token() -> None:
    kept = Kept(TokenSet(None, "refresh-0", None), [pair(1)])
    assert kept.tokens.current() == "access-1"
    assert b"refresh_token=refresh-0" in kept.vendor.requests[0].content


def test_a_refused_token_is_exchanged_once_for_all_who_were_refused() -> None:
    kept = Kept(authorised(), [pair(1)])
    assert kept.tokens.current() == "access-0"
    assert [kept.tokens.renewed(refused="access-0") for _ in range(3)] == ["access-1"] * 3
    assert len(kept.vendor.requests) == 1


def test_a_refused_token_that_another_process_replaced_is_read_and_not_exchanged_again() -> None:
    kept = Kept(authorised(), [])
    kept.tokens.current()
    kept.store.put(XERO, TokenSet("access-1", "refresh-1", NOW + timedelta(minutes=30)))
    assert kept.tokens.renewed(refused="access-0") == "access-1"


def test_a_hundred_threads_make_one_exchange() -> None:
    kept = Kept(authorised(minutes=0), [pair(1)])
    together, got = threading.Barrier(100), list[str]()

    def work() -> None:
        together.wait()
        got.append(kept.tokens.current())

    threads = [threading.Thread(target=work) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["access-1"] * 100
    assert len(kept.vendor.requests) == 1


def test_a_hundred_threads_share_one_failure_and_do_not_fail_one_after_another() -> None:
    """Each trying for itself, the last would wait a hundred timeouts."""
    kept = Kept(authorised(minutes=0), slow_failure)
    together, got = threading.Barrier(100), list[str]()

    def work() -> None:
        together.wait()
        with pytest.raises(Transient) as failure:
            kept.tokens.current()
        got.append(failure.value.reason)

    threads = [threading.Thread(target=work) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["timeout"] * 100
    assert len(kept.vendor.requests) < 5, "a thread that comes after the failure tries anew"


def slow_failure(_: httpx2.Request) -> httpx2.Response:
    time.sleep(0.3)
    raise httpx2.ReadTimeout("slow")


def test_another_workers_exchange_is_waited_for_and_its_pair_is_used() -> None:
    kept = Kept(authorised(minutes=0), [])
    paused: list[float] = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 3:
            kept.store.put(XERO, TokenSet("access-of-another", "refresh-9", NOW + timedelta(seconds=5)))

    keeper = TokenKeeper(kept.store, lambda _: TokenExchange(kept.vendor.http, APP), now=kept.clock, pause=pause)
    with kept.store.locked(XERO):
        assert keeper.current(XERO) == "access-of-another"
    assert kept.vendor.requests == []
    assert paused == sorted(paused), "it looks less often the longer it takes"


def test_a_worker_that_waits_for_too_long_parks_instead() -> None:
    kept = Kept(authorised(minutes=0), [])
    paused: list[float] = []
    keeper = TokenKeeper(kept.store, lambda _: TokenExchange(kept.vendor.http, APP), now=kept.clock, pause=paused.append)
    with kept.store.locked(XERO), pytest.raises(ConnectionBusy) as failure:
        keeper.current(XERO)
    assert sum(paused) == pytest.approx(PATIENCE.total_seconds())
    parked = failure_from(failure.value)
    assert (parked.parks, parked.permanent, parked.retry_after) == (True, False, BUSY_WAIT)


def test_a_token_that_ended_without_a_way_to_renew_it_needs_a_person() -> None:
    kept = Kept(TokenSet("access-0", None, NOW - timedelta(minutes=1)), [])
    with pytest.raises(Disconnected) as failure:
        kept.tokens.current()
    assert failure.value.connection_id == XERO.id
    assert kept.store.read(XERO).is_disconnected


def test_tokens_are_exchanged_on_request_though_they_are_good() -> None:
    kept = Kept(authorised(), [pair(1)])
    assert kept.tokens.current() == "access-0"
    kept.keeper.exchanged(XERO)
    assert kept.tokens.current() == "access-1"


def test_a_pair_is_kept_before_its_token_is_given_out() -> None:
    """A process that dies after the first call with a new token must not take the refresh token with it."""
    kept = Kept(authorised(minutes=0), [pair(1)])
    kept.tokens.current()
    assert kept.store.read(XERO).tokens.refresh_token == "refresh-1"


def test_a_lost_answer_leaves_the_old_refresh_token_to_be_tried_again() -> None:
    kept = Kept(authorised(minutes=0), [httpx2.ReadTimeout("lost"), pair(1)])
    with pytest.raises(Transient) as failure:
        kept.tokens.current()
    assert failure.value.reason == "timeout"
    assert kept.tokens.current() == "access-1"
    assert [b"refresh_token=refresh-0" in request.content for request in kept.vendor.requests] == [True, True]


def test_invalid_grant_marks_the_connection_and_the_vendor_is_not_asked_again() -> None:
    body = {"error": "invalid_grant", "error_description": "refresh token refresh-0 is expired", "status": "BAD_REFRESH_TOKEN"}
    kept = Kept(authorised(minutes=0), [answered(body, status=400)])
    with pytest.raises(Disconnected) as failure:
        kept.tokens.current()
    assert failure.value.reason == "reconnect_needed"
    assert "refresh-0" not in str(failure.value)
    assert kept.store.read(XERO).is_disconnected
    with pytest.raises(Disconnected):
        kept.tokens.current()
    assert len(kept.vendor.requests) == 1


def test_a_connection_that_was_authorised_again_works_again() -> None:
    kept = Kept(authorised(minutes=0), [answered({"error": "invalid_grant"}, status=400)])
    with pytest.raises(Disconnected):
        kept.tokens.current()
    kept.store.put(XERO, TokenSet("access-5", "refresh-5", NOW + timedelta(minutes=30)))
    assert kept.tokens.current() == "access-5"


def test_a_connection_without_tokens_needs_a_person() -> None:
    with pytest.raises(Disconnected):
        Kept(None, []).tokens.current()


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (answered({"error": "invalid_client"}, status=401), Permanent, "app_refused"),
        (answered({"error": "unauthorized_client"}, status=400), Permanent, "app_refused"),
        (answered({"error": "temporarily_unavailable"}, status=400), Transient, "vendor_unavailable"),
        (httpx2.Response(429, headers={"retry-after": "9"}), Transient, "rate_limited_unknown"),
        (httpx2.Response(503, content=b"<html>"), Transient, "vendor_unavailable"),
        (httpx2.Response(400, content=b"<html>"), Transient, "unreadable_answer"),
        (httpx2.Response(200, content=b"<html>"), Transient, "unreadable_answer"),
        (answered({"token_type": "Bearer"}), Transient, "unreadable_answer"),
    ],
)
def test_only_invalid_grant_disconnects(answer: httpx2.Response, kind: type[Exception], reason: str) -> None:
    kept = Kept(authorised(minutes=0), [answer])
    with pytest.raises(kind) as failure:
        kept.tokens.current()
    assert not isinstance(failure.value, Disconnected)
    assert getattr(failure.value, "reason", None) == reason
    assert kept.store.read(XERO).tokens == authorised(minutes=0), "the old pair is kept"
    assert not kept.store.read(XERO).is_disconnected


def test_a_vendor_that_keeps_its_refresh_token_leaves_it_out_and_it_stays() -> None:
    kept = Kept(authorised(minutes=0), [answered({"access_token": "access-1", "expires_in": 3600})])
    assert kept.tokens.current() == "access-1"
    assert kept.store.read(XERO).tokens.refresh_token == "refresh-0"


def test_a_pair_without_a_lifetime_is_kept_all_the_same() -> None:
    kept = Kept(authorised(minutes=0), [answered({"access_token": "access-1", "refresh_token": "refresh-1"})])
    assert kept.tokens.current() == "access-1"
    assert kept.store.read(XERO).tokens.expires_at == NOW + timedelta(minutes=10)


def test_a_static_token_is_never_exchanged_and_a_401_does_not_disconnect_it() -> None:
    kept = Kept(TokenSet("static", None, None), [])
    assert kept.tokens.current() == "static"
    assert kept.tokens.renewed(refused="static") == "static"


def test_the_app_proves_itself_as_the_vendor_wants_it() -> None:
    basic = Kept(authorised(minutes=0), [pair(1)])
    basic.tokens.current()
    assert basic.vendor.requests[0].headers["authorization"] == "Basic YXBwOmFwcC1zZWNyZXQ="
    assert b"client_secret" not in basic.vendor.requests[0].content
    app = OAuthApp("hubspot", "https://api.vendor.test/oauth/2026-09/token", "app", "app-secret", "client_secret_post")
    post = Kept(authorised(minutes=0), [pair(1)], app=app)
    post.tokens.current()
    assert "authorization" not in post.vendor.requests[0].headers
    assert b"client_id=app&client_secret=app-secret" in post.vendor.requests[0].content


def test_neither_tokens_nor_the_app_show_their_secrets() -> None:
    assert "access-0" not in repr(authorised())
    assert "refresh-0" not in repr(authorised())
    assert "app-secret" not in repr(APP)


def test_a_token_set_survives_being_stored_and_a_seeded_one_is_read() -> None:
    assert unpacked(packed(authorised())) == authorised()
    assert unpacked(b'{"refresh_token": "seed", "access_token": null, "expires_at": null}') == TokenSet(None, "seed", None)


@pytest.mark.parametrize("data", [b"", b"[]", b"secret", b'{"expires_at": "yesterday"}', b'{"expires_at": 7}'])
def test_tokens_that_cannot_be_read_are_a_permanent_error_that_does_not_repeat_them(data: bytes) -> None:
    with pytest.raises(Permanent) as failure:
        unpacked(data)
    assert failure.value.reason == "unreadable_tokens"
    assert "secret" not in str(failure.value)
