"""What senders may send by mistake or on purpose, over HTTP, to each system."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.integration.bridge.running import APP_SECRET, OLDER_SECRET, PUBLIC_URL, XERO_KEY, RunningBridge, eventually
from tests.integration.bridge.senders import CALLBACK_SECRET, add_connection, add_path, add_workflow, kept_request
from tests.support.busy import longest
from tests.support.deliveries import (
    asana_event,
    asana_headers,
    callback_headers,
    hubspot_event,
    hubspot_headers,
    shopify_headers,
    xero_body,
    xero_event,
    xero_headers,
)
from tests.support.ledger import ORGANISATION, TestLedger
from webhook_bridge.buckets import SOURCE
from zixly_core.subscriptions import SubscriptionKind

SHOP = "zixly-demo.myshopify.com"
HOOK_SECRET = "hook-secret"
ASANA, SHOPIFY, HUBSPOT = "/webhook/asana/{token}", "/webhook/shopify", "/webhook/hubspot"


@dataclass(frozen=True)
class Sender:
    """One system's sender: where it sends, what, and how it signs."""

    path: str
    body: bytes
    sign: Callable[[bytes], dict[str, str]]


def hubspot_signed(body: bytes) -> dict[str, str]:
    return hubspot_headers(body, secret=APP_SECRET, url=f"{PUBLIC_URL}{HUBSPOT}", at=datetime.now(UTC))


def shopify_signed(body: bytes) -> dict[str, str]:
    return shopify_headers(body, secret=APP_SECRET, shop=SHOP)


@pytest.fixture
def senders(bridge: RunningBridge, ledger: TestLedger, sender: str) -> dict[str, Sender]:
    """A known sender of each system."""
    add_connection(ledger, "hubspot", "62515")
    add_connection(ledger, "shopify", SHOP)
    path = add_path(ledger, add_connection(ledger, "asana", "1200000000000001"), "asana", SubscriptionKind.HANDSHAKE).url("")
    assert bridge.http.post(path, content=b"{}", headers={"X-Hook-Secret": HOOK_SECRET}).status_code == 200
    ledger.owner.execute("delete from zixly.deliveries")
    callback = json.dumps({"type": "report.finished", "data": {}}).encode()
    return {
        "xero": Sender("/webhook/xero", xero_body(xero_event(ORGANISATION)), lambda body: xero_headers(body, key=XERO_KEY)),
        "hubspot": Sender(HUBSPOT, json.dumps([hubspot_event(62515)]).encode(), hubspot_signed),
        "shopify": Sender(SHOPIFY, json.dumps({"id": 1}).encode(), shopify_signed),
        "asana": Sender(path, json.dumps({"events": [asana_event()]}).encode(), lambda body: asana_headers(body, secret=HOOK_SECRET)),
        "callbacks": Sender(
            sender,
            callback,
            lambda body: callback_headers(body, secret=CALLBACK_SECRET, message_id="msg_1", at=datetime.now(UTC)),
        ),
    }


every_system = pytest.mark.parametrize("system", ["xero", "hubspot", "shopify", "asana", "callbacks"])


def posted(bridge: RunningBridge, path: str, body: bytes, headers: Any) -> httpx2.Response:
    return bridge.http.post(path, content=body, headers=headers)


def rows(ledger: TestLedger, query: str) -> list[dict[str, Any]]:
    return ledger.owner.execute(query).fetchall()


@every_system
def test_a_flipped_byte_is_refused_and_kept_sealed(
    bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender], system: str
) -> None:
    one = senders[system]
    headers = one.sign(one.body)
    flipped = bytes([one.body[0] ^ 1]) + one.body[1:]
    assert posted(bridge, one.path, flipped, headers).status_code == 401
    (kept,) = rows(ledger, "select id, verdict, reason, body from zixly.deliveries")
    assert (kept["verdict"], kept["reason"], bytes(kept["body"])) == ("rejected", "invalid_signature", b"")
    assert kept_request(ledger, kept["id"]).body == flipped
    assert posted(bridge, one.path, one.body, headers).is_success


@every_system
def test_a_signature_header_that_comes_twice_is_refused(
    bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender], system: str
) -> None:
    one = senders[system]
    headers = list(one.sign(one.body).items())
    name, value = next((name, value) for name, value in headers if "signature" in name or "hmac" in name)
    for doubled in ([*headers, (name, value)], [(name, "v1,wrong"), *headers]):
        assert posted(bridge, one.path, one.body, doubled).status_code == 401
    assert rows(ledger, "select 1 from zixly.events") == []


@every_system
def test_a_body_of_ten_megabytes_is_taken_and_a_larger_one_is_not(
    bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender], system: str
) -> None:
    one = senders[system]
    large = one.body + b" " * (10_000_000 - len(one.body))
    began = time.monotonic()
    assert posted(bridge, one.path, large, one.sign(large)).is_success
    assert time.monotonic() - began < longest(4)
    assert posted(bridge, one.path, large + b" ", one.sign(large + b" ")).status_code == 413
    verdicts = rows(ledger, "select verdict, length(body) as size from zixly.deliveries order by received_at")
    assert [(row["verdict"], row["size"]) for row in verdicts] == [("accepted", 10_000_000), ("rejected", 0)]


@pytest.mark.parametrize(
    ("system", "kind", "body"),
    [
        ("hubspot", "quote.publication", [hubspot_event(62515, subscriptionType="quote.publication")]),
        ("shopify", "new_things.made", {"id": 3}),
        ("asana", "goal.moved", {"events": [asana_event(action="moved", resource={"gid": "1", "resource_type": "goal"}, change=None)]}),
        ("callbacks", "callback.never.heard.of", {"type": "never.heard.of"}),
    ],
)
def test_an_unknown_category_or_topic_is_kept_and_answered_with_success(  # noqa: PLR0917
    bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender], system: str, kind: str, body: object
) -> None:
    content = json.dumps(body).encode()
    headers = senders[system].sign(content)
    if system == "shopify":
        headers["x-shopify-topic"] = kind.replace(".", "/")
    assert posted(bridge, senders[system].path, content, headers).is_success
    assert rows(ledger, "select kind, outcome from zixly.events") == [{"kind": kind, "outcome": "filtered"}]


def test_a_hundred_events_for_twenty_tenants_find_each_its_own(bridge: RunningBridge, ledger: TestLedger) -> None:
    add_workflow(ledger, "hubspot-deal-to-xero", "hubspot", "hubspot:deal.propertyChange:dealstage")
    owners: dict[str, UUID] = {}
    for number in range(20):
        tenant = ledger.add_tenant(f"client-{number}")
        add_connection(ledger, "hubspot", str(70_000 + number), tenant=tenant)
        owners[str(70_000 + number)] = tenant.id
    body = json.dumps([hubspot_event(70_000 + n % 20, objectId=n) for n in range(99)] + [hubspot_event(1, objectId=99)]).encode()
    assert posted(bridge, HUBSPOT, body, hubspot_signed(body)).status_code == 200
    events = rows(ledger, "select tenant_id, external_id, outcome from zixly.events")
    assert all(row["tenant_id"] == owners.get(row["external_id"]) for row in events)
    assert Counter(row["outcome"] for row in events) == {"jobs": 99, "unroutable": 1}
    jobs = rows(ledger, "select tenant_id, count(*)::int as n from zixly.workflow_jobs group by tenant_id")
    assert {row["tenant_id"]: row["n"] for row in jobs} == {tenant: 4 if portal == "70019" else 5 for portal, tenant in owners.items()}


@pytest.mark.parametrize("secret", [APP_SECRET, OLDER_SECRET])
def test_both_secrets_are_taken_while_one_is_changed(
    bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender], secret: str
) -> None:
    body = b'{"id": 1}'
    assert posted(bridge, SHOPIFY, body, shopify_headers(body, secret=secret, shop=SHOP)).status_code == 200
    assert posted(bridge, SHOPIFY, body, shopify_headers(body, secret="one of long ago", shop=SHOP)).status_code == 401


def test_a_shop_that_authorised_nothing_makes_no_job(bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender]) -> None:
    body = b'{"id": 1}'
    assert posted(bridge, SHOPIFY, body, shopify_headers(body, secret=APP_SECRET, shop="stranger.myshopify.com")).status_code == 200
    assert rows(ledger, "select outcome, tenant_id from zixly.events") == [{"outcome": "unroutable", "tenant_id": None}]


@pytest.mark.parametrize(
    ("topic", "document"),
    [
        ("customers/data_request", {"shop_domain": SHOP, "customer": {"id": 5}, "orders_requested": [], "data_request": {"id": 9}}),
        ("customers/redact", {"shop_domain": SHOP, "customer": {"id": 5}, "orders_to_redact": []}),
        ("shop/redact", {"shop_domain": SHOP, "shop_id": 954889}),
    ],
)
def test_the_topics_of_privacy_law_become_jobs(
    bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender], topic: str, document: object
) -> None:
    kind = topic.replace("/", ".")
    add_workflow(ledger, "shopify-privacy", "shopify", f"shopify:{kind}")
    body = json.dumps(document).encode()

    def becomes_a_job() -> bool:
        """Once the bridge has read of the workflow, which it does every three seconds."""
        assert posted(bridge, SHOPIFY, body, shopify_headers(body, secret=APP_SECRET, shop=SHOP, topic=topic)).status_code == 200
        return bool(rows(ledger, "select 1 from zixly.workflow_jobs"))

    eventually(becomes_a_job, seconds=6)
    assert rows(ledger, "select workflow_type from zixly.workflow_jobs") == [{"workflow_type": "shopify-privacy"}]


def test_the_host_header_has_no_say_in_the_url_that_hubspot_signed(
    bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender]
) -> None:
    body = senders["hubspot"].body
    forged = {"host": "evil.example.test", "x-forwarded-host": "evil.example.test", "x-forwarded-proto": "http"}
    assert posted(bridge, HUBSPOT, body, hubspot_signed(body) | forged).status_code == 200
    elsewhere = hubspot_headers(body, secret=APP_SECRET, url=f"http://evil.example.test{HUBSPOT}", at=datetime.now(UTC))
    assert posted(bridge, HUBSPOT, body, elsewhere | forged).status_code == 401


def test_a_flood_from_one_source_does_not_crowd_out_what_comes_to_other_paths(
    bridge: RunningBridge, ledger: TestLedger, senders: dict[str, Sender]
) -> None:
    began = time.monotonic()
    for _ in range(260):
        assert bridge.http.post("/webhook/hubspot-deal", content=b"rubbish").status_code == 401
    seconds = time.monotonic() - began
    body = senders["hubspot"].body
    wrong = hubspot_headers(body, secret="entered wrongly", url=f"{PUBLIC_URL}{HUBSPOT}", at=datetime.now(UTC))
    assert posted(bridge, HUBSPOT, body, wrong).status_code == 401
    kept = {row["path"]: row["n"] for row in rows(ledger, "select path, count(*)::int as n from zixly.deliveries group by path")}
    assert kept["hubspot"] == 1
    assert SOURCE.requests <= kept["hubspot-deal"] <= SOURCE.requests + SOURCE.requests_per_second * seconds
