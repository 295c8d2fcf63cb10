"""What browsers are told on every answer, which pages may ask, and how large and how deep a body may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx2
import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import XERO_KEY, RunningBridge, settings_for, start_bridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.postgres import TestDatabase

APP = "https://app.example"
TOKEN = {"Authorization": "Bearer a-token"}
HELMET = {
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "origin-agent-cluster",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-permitted-cross-domain-policies",
    "x-xss-protection",
}
Start = Callable[..., RunningBridge]


@pytest.fixture
def start(ledger: TestLedger, database: TestDatabase) -> Iterator[Start]:
    running: list[RunningBridge] = []

    def started(**overrides: object) -> RunningBridge:
        running.append(start_bridge(settings_for(database, **overrides)))
        return running[-1]

    yield started
    for bridge in running:
        bridge.stop()


def preflight(bridge: RunningBridge, path: str, *, origin: str) -> httpx2.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    return bridge.http.request("OPTIONS", path, headers=asked)


def test_every_answer_keeps_browsers_careful(start: Start) -> None:
    bridge = start(bridge_public_url="https://bridge.example")
    body = xero_body(xero_event(ORGANISATION))
    answers = [
        bridge.http.get("/api/jobs"),
        bridge.http.get("/connect/xero?ticket=nonsense"),
        bridge.http.get("/nowhere"),
        bridge.http.get("/health"),
        bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)),
    ]
    for answer in answers:
        assert HELMET | {"strict-transport-security"} <= set(answer.headers), answer.request.url
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert not {"server", "x-powered-by", "set-cookie"} & set(answer.headers)
    assert answers[4].content == b""


def test_over_http_browsers_are_not_told_to_come_by_https(start: Start) -> None:
    assert "strict-transport-security" not in start(bridge_public_url="http://127.0.0.1:3000").http.get("/health").headers


def test_no_page_of_another_origin_may_ask_unless_it_is_named(start: Start) -> None:
    bridge = start()
    answer = bridge.http.get("/api/jobs", headers={"Origin": APP})
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert preflight(bridge, "/api/pauses", origin=APP).status_code == 405


def test_a_named_origin_may_ask_the_api_and_nothing_else(start: Start) -> None:
    bridge = start(cors_origins=APP)
    allowed = preflight(bridge, "/api/pauses", origin=APP)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, APP)
    assert allowed.headers["access-control-allow-credentials"] == "true"
    answer = bridge.http.get("/api/jobs", headers={"Origin": APP})
    assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (APP, "Origin")
    for other in ("https://evil.example", "null", "https://app.example.evil.example", "http://app.example"):
        assert preflight(bridge, "/api/pauses", origin=other).status_code == 400
        assert "access-control-allow-origin" not in bridge.http.get("/api/jobs", headers={"Origin": other}).headers
    for path in ("/webhook/xero", "/connect/xero", "/metrics"):
        assert "access-control-allow-origin" not in preflight(bridge, path, origin=APP).headers


def test_another_site_changes_nothing_through_somebodys_browser(start: Start) -> None:
    bridge = start(cors_origins=APP)
    wanted = {"what": "system", "name": "xero", "reason": "a test"}
    for said in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Cookie": "zixly=a-session"}):
        refused = bridge.http.post("/api/pauses", json=wanted, headers=said)
        assert (refused.status_code, refused.json()["reason"]) == (403, "cross_site")
    assert bridge.http.get("/api/pauses").json()["pauses"] == []
    ours = {"Sec-Fetch-Site": "same-origin", "Cookie": "zixly=a-session"}
    assert bridge.http.post("/api/pauses", json=wanted, headers=ours).status_code < 300


def test_a_name_that_somebody_gave_this_machine_is_not_ours(start: Start) -> None:
    answer = start().http.get("/api/jobs", headers={"Host": "evil.example:3000", "Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "unknown_host")


def test_a_body_of_the_api_is_a_megabyte_at_most_and_not_deep(start: Start) -> None:
    bridge = start(api_token=SecretStr("a-token"))
    json_of = {"content-type": "application/json"} | TOKEN
    large = bridge.http.post("/api/pauses", content=b'{"reason":"' + b"x" * 1_000_000 + b'"}', headers=json_of)
    assert (large.status_code, large.json()["reason"], large.headers["connection"]) == (413, "body_too_large", "close")
    chunked = bridge.http.post("/api/pauses", content=(b"x" * 100_000 for _ in range(11)), headers=json_of)
    assert chunked.status_code == 413
    deep = bridge.http.post("/api/pauses", content=b"[" * 100_000, headers=json_of)
    assert (deep.status_code, deep.json()["reason"]) == (400, "too_deep")
    assert bridge.http.post("/api/pauses", content=b"[" * 60 + b"]" * 60, headers=json_of).status_code == 422


def test_a_webhooks_body_may_be_larger(start: Start) -> None:
    body = xero_body(xero_event(ORGANISATION)) + b" " * 2_000_000
    assert start().http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)).status_code == 200
