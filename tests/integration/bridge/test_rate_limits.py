"""Limits over HTTP, with a real Valkey between two bridges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import httpx2
import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import XERO_KEY, RunningBridge, settings_for, start_bridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.postgres import TestDatabase
from tests.support.servers import ValkeyServer

TOKEN = {"Authorization": "Bearer a-token"}
Bridges = Callable[..., RunningBridge]


@pytest.fixture
def bridges(ledger: TestLedger, database: TestDatabase, own_valkey: ValkeyServer) -> Iterator[Bridges]:
    """Starts bridges that count in one Valkey."""
    running: list[RunningBridge] = []

    def started(**overrides: object) -> RunningBridge:
        fixed = {"api_token": SecretStr("a-token"), "limits_url": SecretStr(own_valkey.url)}
        running.append(start_bridge(settings_for(database, **{**fixed, **overrides})))
        return running[-1]

    yield started
    for bridge in running:
        bridge.stop()


def asked(bridge: RunningBridge, times: int = 1, **headers: str) -> list[httpx2.Response]:
    return [bridge.http.get("/api/jobs", headers=headers or TOKEN) for _ in range(times)]


def unsigned(bridge: RunningBridge, **headers: str) -> httpx2.Response:
    return bridge.http.post("/webhook/xero", content=b"{}", headers={"x-xero-signature": "wrong", **headers})


def signed(bridge: RunningBridge) -> httpx2.Response:
    body = xero_body(xero_event(ORGANISATION))
    return bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))


def test_a_hundred_requests_a_minute_are_taken_by_two_bridges_together_and_the_rest_is_told_when(bridges: Bridges) -> None:
    answers = [answer for one in (bridges(), bridges()) for answer in asked(one, 60)]
    assert Counter(answer.status_code for answer in answers) == {200: 100, 429: 20}
    first, refused = answers[0], answers[-1]
    assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("100", "99")
    assert first.headers["ratelimit-policy"] == '"api";q=100;w=60'
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["reason"] == "too_many_requests"
    assert refused.headers["ratelimit-remaining"] == "0"
    assert 30 < int(refused.headers["retry-after"]) == int(refused.headers["ratelimit-reset"]) <= 60


def test_the_figure_is_a_setting_and_what_is_refused_is_counted(bridges: Bridges) -> None:
    bridge = bridges(api_requests_per_minute=3)
    assert [answer.status_code for answer in asked(bridge, 5)] == [200, 200, 200, 429, 429]
    assert 'rate_limited_total{rate="api"} 2.0' in bridge.http.get("/metrics").text


def test_guessing_tokens_gets_slower_and_hinders_nobody_who_has_one(bridges: Bridges) -> None:
    bridge = bridges(unknown_requests_per_minute=3)
    guesses = asked(bridge, 5, Authorization="Bearer a-guess")
    assert [answer.status_code for answer in guesses] == [401, 401, 401, 429, 429]
    assert int(guesses[-1].headers["retry-after"]) > 0
    assert asked(bridge)[0].status_code == 200


def test_an_address_cannot_be_made_up(bridges: Bridges) -> None:
    """Whoever could write his own address would have as many rates as he likes."""
    bridge = bridges(unknown_requests_per_minute=3)
    answers = [asked(bridge, 1, **{"X-Forwarded-For": f"203.0.113.{number}"})[0] for number in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]


def test_behind_a_proxy_of_ours_the_address_is_the_senders(bridges: Bridges) -> None:
    bridge = bridges(unknown_requests_per_minute=1, trusted_proxies="127.0.0.1")
    for number in range(5):
        assert asked(bridge, 1, **{"X-Forwarded-For": f"203.0.113.{number}"})[0].status_code == 401
    assert asked(bridge, 1, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.4"})[0].status_code == 429


def test_signed_deliveries_are_taken_however_many_unsigned_ones_come_from_the_same_address(bridges: Bridges, ledger: TestLedger) -> None:
    """Behind one proxy there may be Xero and somebody else (promise 10)."""
    bridge = bridges(unsigned_requests_per_minute=5, api_requests_per_minute=1, unknown_requests_per_minute=1)
    refused = [unsigned(bridge) for _ in range(8)]
    assert [answer.status_code for answer in refused] == [401] * 5 + [429] * 3
    assert (refused[-1].content, int(refused[-1].headers["retry-after"]) > 0) == (b"", True)
    assert {signed(bridge).status_code for _ in range(200)} == {200}
    assert unsigned(bridge).status_code == 429
    kept = ledger.owner.execute("select verdict, count(*)::int as n from zixly.deliveries group by 1").fetchall()
    assert {row["verdict"]: row["n"] for row in kept} == {"rejected": 5, "accepted": 200}


def test_an_unknown_path_is_limited_like_a_wrong_signature(bridges: Bridges, sender: str) -> None:
    bridge = bridges(unsigned_requests_per_minute=2)
    answers = [bridge.http.post(f"/webhook/callbacks/nobody{number}", content=b"{}") for number in range(4)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True, True]


def test_the_bridge_goes_on_while_the_limiter_is_away(bridges: Bridges, own_valkey: ValkeyServer) -> None:
    bridge = bridges()
    assert asked(bridge)[0].status_code == 200
    own_valkey.stop()
    assert {answer.status_code for answer in asked(bridge, 20)} == {200}
    assert signed(bridge).status_code == 200
    assert unsigned(bridge).status_code == 401
    assert 'rate_limiter_unavailable_total{rate="api"} 20.0' in bridge.http.get("/metrics").text
    own_valkey.start()


def test_health_and_metrics_are_never_refused(bridges: Bridges) -> None:
    bridge = bridges(api_requests_per_minute=1, unknown_requests_per_minute=1)
    for path in ("/health", "/ready", "/metrics"):
        assert {bridge.http.get(path).status_code for _ in range(4)} == {200}
