"""Deliveries for tests: the recorded ones of `tests/payloads`, and new ones signed like the vendors sign."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from zixly_core.intake import prepared
from zixly_core.prepared import Prepared
from zixly_core.routing import RoutingTable
from zixly_core.signatures import hmac_base64, hmac_hex
from zixly_core.system import IncomingRequest
from zixly_core.systems import SYSTEMS
from zixly_core.systems.callbacks.receive import key_of

PAYLOADS = Path(__file__).parent.parent / "payloads"


@dataclass(frozen=True)
class RecordedDelivery:
    """A delivery as its file tells it, with what must become of it."""

    name: str
    system: str
    url: str
    headers: dict[str, str]
    body: bytes
    secret: str
    received_at: datetime
    is_accepted: bool
    status: int
    event_keys: tuple[str, ...] = field(default=())
    events: tuple[dict[str, Any], ...] = ()
    response_headers: dict[str, str] = field(default_factory=dict)

    def request(self) -> IncomingRequest:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return IncomingRequest(method="POST", url=self.url, headers=headers, body=self.body, received_at=self.received_at)


def all_recorded() -> list[RecordedDelivery]:
    """Every recorded delivery of every system."""
    return [one for folder in sorted(PAYLOADS.iterdir()) if (folder / "deliveries").is_dir() for one in recorded(folder.name)]


def recorded(system: str) -> list[RecordedDelivery]:
    """Every recorded delivery of a system."""
    return [read_delivery(path) for path in sorted((PAYLOADS / system / "deliveries").glob("*.json"))]


def recorded_one(system: str, name: str) -> RecordedDelivery:
    return next(one for one in recorded(system) if one.name == name)


def read_delivery(path: Path) -> RecordedDelivery:
    document: dict[str, Any] = json.loads(path.read_text())
    return RecordedDelivery(
        name=document["name"],
        system=document["system"],
        url=document["url"],
        headers=document["headers"],
        body=document["body"].encode(),
        secret=document["secret"],
        received_at=datetime.fromtimestamp(document["received_at_ms"] / 1000, UTC),
        is_accepted=document["expected"] == "accept",
        status=document["expected_status"],
        event_keys=tuple(event["key"] for event in document.get("expected_events", []) if "key" in event),
        events=tuple(document.get("expected_events", [])),
        response_headers=document.get("expected_response", {}).get("headers", {}),
    )


def xero_event(organisation: str, **overrides: object) -> dict[str, object]:
    """A valid event; a test writes down only what matters to it."""
    return {
        "resourceId": str(uuid4()),
        "tenantId": organisation,
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "eventType": "UPDATE",
        "eventDateUtc": "2026-11-22T09:59:41.902",
        **overrides,
    }


def xero_body(*events: dict[str, object]) -> bytes:
    return json.dumps({"events": events, "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "X"}).encode()


def xero_headers(body: bytes, *, key: str) -> dict[str, str]:
    return {"content-type": "application/json", "x-xero-signature": hmac_base64(key.encode(), body)}


def hubspot_event(portal: int | str, **overrides: object) -> dict[str, object]:
    """A deal that is won."""
    return {
        "eventId": 1,
        "subscriptionId": 3301277,
        "portalId": portal,
        "appId": 1,
        "occurredAt": 1795341596000,
        "subscriptionType": "deal.propertyChange",
        "attemptNumber": 0,
        "objectId": 17812345601,
        "propertyName": "dealstage",
        "propertyValue": "closedwon",
        **overrides,
    }


def hubspot_headers(body: bytes, *, secret: str, url: str, at: datetime) -> dict[str, str]:
    timestamp = str(int(at.timestamp() * 1000))
    signed = f"POST{url}".encode() + body + timestamp.encode()
    return {
        "content-type": "application/json",
        "x-hubspot-request-timestamp": timestamp,
        "x-hubspot-signature-v3": hmac_base64(secret.encode(), signed),
    }


def shopify_headers(body: bytes, *, secret: str, shop: str, topic: str = "orders/paid", **overrides: str) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-shopify-topic": topic,
        "x-shopify-shop-domain": shop,
        "x-shopify-webhook-id": str(uuid4()),
        "x-shopify-hmac-sha256": hmac_base64(secret.encode(), body),
        **{name.replace("_", "-"): value for name, value in overrides.items()},
    }


def asana_event(**overrides: object) -> dict[str, object]:
    """A task whose field `completed` changed."""
    return {
        "user": {"gid": "1201111111111111", "resource_type": "user"},
        "created_at": "2026-11-22T09:59:12.345Z",
        "action": "changed",
        "resource": {"gid": "1202222222222201", "resource_type": "task", "resource_subtype": "default_task"},
        "parent": None,
        "change": {"field": "completed", "action": "changed"},
        **overrides,
    }


def asana_headers(body: bytes, *, secret: str) -> dict[str, str]:
    return {"content-type": "application/json; charset=UTF-8", "x-hook-signature": hmac_hex(secret.encode(), body)}


def callback_headers(body: bytes, *, secret: str, message_id: str, at: datetime) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = hmac_base64(key_of(secret), f"{message_id}.{timestamp}.".encode() + body)
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def prepared_xero(routing: RoutingTable, *events: dict[str, object]) -> Prepared:
    """A signed delivery with these events, ready to be committed."""
    body = xero_body(*events)
    request = IncomingRequest("POST", "http://bridge/webhook/xero", xero_headers(body, key="a-key"), body, datetime.now(UTC))
    return prepared(request, system=SYSTEMS["xero"], secrets=["a-key"], routing=routing)
