from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi import Request
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.datastructures import MutableHeaders
from starlette.types import Message
from structlog.testing import capture_logs

from webhook_bridge.limits import Limits, limited, tell_rate
from webhook_bridge.problems import NotSignedIn, TooManyRequests, problem_of
from webhook_bridge.signed_in import Caller
from zixly_core.errors import QueueUnavailable, SettingsError
from zixly_core.metrics import ProcessMetrics
from zixly_core.rates.limiter import RateLimiter, rate_store
from zixly_core.rates.memory import MAX_SUBJECTS, MemoryRates
from zixly_core.rates.rate import Rate, Taken
from zixly_core.settings import Settings
from zixly_core.stores.jobs_view import Scope

STAFF = Scope(tenant_id=None)


class Away:
    """A store that does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    def take(self, rate: Rate, subject: str) -> Taken:
        self.asked += 1
        raise QueueUnavailable("away", reason="rates_unavailable")

    def close(self) -> None: ...


def request(address: str = "203.0.113.9") -> Request:
    return Request({"type": "http", "method": "GET", "headers": [], "client": (address, 0), "state": {}})


def limits(**settings: int) -> Limits:
    chosen = Settings.model_validate({"api_requests_per_minute": 2, "unknown_requests_per_minute": 2, "sign_ins_per_minute": 2, **settings})
    return Limits(RateLimiter(MemoryRates()), settings=chosen, metrics=ProcessMetrics(CollectorRegistry()))


def test_a_tenants_people_share_its_rate_and_no_other_tenants() -> None:
    tenant, other, rates = uuid4(), uuid4(), limits()
    for person in (uuid4(), uuid4()):
        rates.known(request(), Caller("somebody", Scope(tenant_id=tenant), user_id=person))
    with pytest.raises(TooManyRequests):
        rates.known(request(), Caller("somebody", Scope(tenant_id=tenant), user_id=uuid4()))
    rates.known(request(), Caller("somebody", Scope(tenant_id=other), user_id=uuid4()))


def test_people_and_tokens_of_the_agency_have_a_rate_each() -> None:
    rates, one = limits(), Caller("somebody", STAFF, user_id=uuid4())
    for _ in range(2):
        rates.known(request(), one)
    with pytest.raises(TooManyRequests):
        rates.known(request(), one)
    for another in (Caller("somebody", STAFF, user_id=uuid4()), Caller("api-token", STAFF)):
        rates.known(request(), another)


def test_nobody_is_limited_where_everybody_at_this_machine_is_staff() -> None:
    rates = limits()
    for _ in range(5):
        rates.known(request(), Caller("local", STAFF))


def test_whoever_guesses_is_told_to_wait_instead_of_being_told_that_he_is_wrong() -> None:
    def nobody(_request: Request) -> Caller:
        raise NotSignedIn("Sign in.")

    caller = limited(nobody, limits())
    for _ in range(2):
        with pytest.raises(NotSignedIn):
            caller(request())
    with pytest.raises(TooManyRequests) as refused:
        caller(request())
    answer = problem_of(refused.value)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    with pytest.raises(NotSignedIn):
        caller(request("203.0.113.10"))


def test_tries_at_signing_in_are_limited_by_address() -> None:
    rates = limits()
    for _ in range(2):
        rates.sign_in(request("2001:db8::1"))
    with pytest.raises(TooManyRequests):
        rates.sign_in(request("2001:db8::2"))
    rates.sign_in(request("2001:db8:0:1::1"))


def test_an_answer_tells_how_things_stand() -> None:
    asked = request()
    message: Message = {"type": "http.response.start", "headers": []}
    limits().known(asked, Caller("api-token", STAFF))
    tell_rate(message, asked.scope)
    assert dict(MutableHeaders(scope=message)) == {
        "ratelimit-policy": '"api";q=2;w=60',
        "ratelimit": '"api";r=1;t=60',
        "ratelimit-limit": "2",
        "ratelimit-remaining": "1",
        "ratelimit-reset": "60",
    }


def test_an_answer_of_what_is_not_limited_tells_nothing() -> None:
    message: Message = {"type": "http.response.start", "headers": []}
    tell_rate(message, request().scope)
    assert message["headers"] == []


def test_a_store_that_is_away_is_left_alone_for_a_moment_and_told_of_once_a_minute() -> None:
    now, store, rate = [0.0], Away(), Rate("api", 1_000)
    limiter = RateLimiter(store, clock=lambda: now[0])
    with capture_logs() as lines:
        for _ in range(119):
            assert limiter.take(rate, "a").is_allowed
            now[0] += 0.5
    assert store.asked == 60
    assert [line["event"] for line in lines] == ["rate_limiter_unavailable"]
    now[0] = 61
    with capture_logs() as lines:
        limiter.take(rate, "a")
    assert len(lines) == 1


def test_memory_forgets_whom_it_heard_least_recently() -> None:
    rates, one = MemoryRates(), Rate("api", 1, timedelta(minutes=1))
    rates.take(one, "first")
    for number in range(MAX_SUBJECTS):
        rates.take(one, str(number))
    assert rates.take(one, "first").is_allowed
    assert not rates.take(one, str(MAX_SUBJECTS - 1)).is_allowed


@pytest.mark.parametrize(
    ("limits_url", "queue_url", "kind"),
    [
        (None, "memory://", "MemoryRates"),
        (None, "sqs://eu-west-1/zixly", "MemoryRates"),
        (None, "redis://127.0.0.1:1/0", "RedisRates"),
        (None, "valkeys://127.0.0.1:1/0", "RedisRates"),
        ("rediss://127.0.0.1:1/2", "sqs://eu-west-1/zixly", "RedisRates"),
        ("memory://", "redis://127.0.0.1:1/0", "MemoryRates"),
    ],
)
def test_rates_are_counted_where_the_settings_say(limits_url: str | None, queue_url: str, kind: str) -> None:
    given = {"queue_url": SecretStr(queue_url)} | ({"limits_url": SecretStr(limits_url)} if limits_url else {})
    store = rate_store(Settings.model_validate(given))
    assert type(store).__name__ == kind
    store.close()


@pytest.mark.parametrize("url", ["sqs://eu-west-1/zixly", "redis://127.0.0.1:nonsense/0"])
def test_a_wrong_address_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_LIMITS_URL"):
        rate_store(Settings.model_validate({"limits_url": SecretStr(url)}))
