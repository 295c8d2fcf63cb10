"""Every recorded delivery, sent to a bridge that serves at the recorded address, by the recorded clock and secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.integration.bridge.senders import BOX, add_connection, kept_request
from tests.support.deliveries import RecordedDelivery, all_recorded
from tests.support.ledger import ORGANISATION, TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.subscriptions import token_digest
from zixly_core.systems import SYSTEMS
from zixly_core.systems.callbacks.receive import account_of

SECRET_SETTINGS = {"xero": "xero_webhook_keys", "hubspot": "hubspot_client_secret", "shopify": "shopify_client_secret"}
# Where the recorded URLs lead to here: they were made before our paths were.
OUR_PATHS = {"webhooks/xero": "xero", "webhooks/hubspot": "hubspot", "webhooks/shopify": "shopify", "callbacks/jobs": "callbacks"}
HANDSHAKES = {("asana", "01-handshake"), ("asana", "02-heartbeat"), ("xero", "01-intent-to-receive-signed")}
WORKSPACE = "1200000000000001"


class OtherPaths:
    """Leads the recorded paths to ours. The bridge still sees the URL that was called, which HubSpot signs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope | {"path": our_path(scope["path"])} if scope["type"] == "http" else scope, receive, send)


def our_path(path: str) -> str:
    for theirs, ours in OUR_PATHS.items():
        if path.startswith(f"/{theirs}"):
            return f"/webhook/{ours}{path.removeprefix(f'/{theirs}')}"
    return path.replace("/webhooks/", "/webhook/", 1)


@contextmanager
def bridge_for(delivery: RecordedDelivery, database: TestDatabase) -> Iterator[RunningBridge]:
    url = urlsplit(delivery.url)
    secrets = {name: SecretStr(delivery.secret) for system, name in SECRET_SETTINGS.items() if system == delivery.system}
    settings = settings_for(database, bridge_public_url=f"{url.scheme}://{url.netloc}", shopify_app_secrets=None, **secrets)
    running = start_bridge(settings, clock=lambda: delivery.received_at, around=OtherPaths)
    yield running
    running.stop()


def know_sender(ledger: TestLedger, delivery: RecordedDelivery) -> None:
    """Make its account one of ours; for a path its secret as well, unless the delivery is what brings it."""
    token = urlsplit(delivery.url).path.rpartition("/")[2]
    match delivery.system:
        case "hubspot":
            add_connection(ledger, "hubspot", "44556677")
        case "shopify":
            add_connection(ledger, "shopify", "example-test.myshopify.com")
        case "asana":
            subscription_id, connection_id = new_id(), add_connection(ledger, "asana", WORKSPACE)
            is_handshake = delivery.name == "01-handshake"
            ledger.owner.execute(
                "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind, token_sha256, status)"
                " values (%s, %s, %s, 'asana', 'handshake', %s, %s)",
                (subscription_id, ledger.tenant.id, connection_id, token_digest(token), "PENDING" if is_handshake else "ACTIVE"),
            )
            if not is_handshake:
                keep_secret(ledger, connection_id, delivery.secret, subscription_id=subscription_id)
        case "callbacks":
            keep_secret(ledger, add_connection(ledger, "callbacks", account_of(delivery.url)), delivery.secret)


def keep_secret(ledger: TestLedger, connection_id: Any, secret: str, *, subscription_id: Any = None) -> None:
    ledger.owner.execute(
        "insert into zixly.signing_secrets (id, connection_id, subscription_id, ciphertext) values (%s, %s, %s, %s)",
        (new_id(), connection_id, subscription_id, BOX.seal(secret.encode(), context=str(subscription_id or connection_id))),
    )


def test_there_are_recorded_deliveries_of_every_system() -> None:
    assert {one.system for one in all_recorded()} == set(SYSTEMS)


@pytest.mark.parametrize("delivery", all_recorded(), ids=lambda one: f"{one.system}-{one.name}")
def test_a_recorded_delivery_gets_its_verdict_status_answer_and_events(
    ledger: TestLedger, database: TestDatabase, delivery: RecordedDelivery
) -> None:
    know_sender(ledger, delivery)
    with bridge_for(delivery, database) as bridge:
        url = urlsplit(delivery.url)
        target = url.path + (f"?{url.query}" if url.query else "")
        headers = {name: value for name, value in delivery.headers.items() if name.lower() != "content-length"}
        answer = bridge.http.post(target, content=delivery.body, headers=headers)
    is_exact = not delivery.is_accepted or delivery.system in {"xero", "asana"}
    assert answer.status_code == delivery.status or (not is_exact and answer.is_success)
    assert {name: answer.headers[name] for name in delivery.response_headers} == delivery.response_headers
    assert delivery.system == "callbacks" or answer.content == b""
    assert "set-cookie" not in answer.headers
    kept = ledger.owner.execute("select id, verdict, body, sealed, headers from zixly.deliveries").fetchone()
    assert kept is not None
    handshake = "handshake" if (delivery.system, delivery.name) in HANDSHAKES else "accepted"
    assert kept["verdict"] == (handshake if delivery.is_accepted else "rejected")
    assert delivery.secret not in str(kept["headers"])
    if delivery.is_accepted:
        assert (bytes(kept["body"]), kept["sealed"]) == (delivery.body, None)
    else:
        assert (bytes(kept["body"]), kept["headers"]) == (b"", {})
        assert kept_request(ledger, kept["id"]).body == delivery.body
    events = ledger.owner.execute("select dedupe_key, tenant_id, external_id from zixly.events").fetchall()
    assert len(events) == len(delivery.events)
    assert all(any(row["dedupe_key"].find(key) >= 0 for row in events) for key in delivery.event_keys)
    strangers = [row for row in events if row["tenant_id"] != ledger.tenant.id]
    assert all(delivery.system == "xero" and row["external_id"] != ORGANISATION for row in strangers)
