"""Deliveries as HubSpot, Shopify and Asana would send them, and a request for a trading sweep, signed like theirs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import orjson

from zixly_cli.signed_delivery import SignedDelivery
from zixly_core.signatures import hmac_base64, hmac_hex
from zixly_core.systems.callbacks.receive import key_of
from zixly_core.systems.hubspot.receive import signed_url

# A small sweep: 36 pairs.
SWEEP = {"fast_range": [5, 20], "slow_range": [25, 50], "step": 5, "strategy_type": "SMA"}


def hubspot_delivery(records: Sequence[str], *, account: str, key: str, now: datetime, public_url: str) -> SignedDelivery:
    """A deal is won, for each record of a portal. The URL is signed too: the one that the bridge is known by."""
    milliseconds = int(now.timestamp() * 1000)
    events = [
        {
            "eventId": secrets.randbelow(2**32),
            "subscriptionId": 1,
            "portalId": int(account),
            "appId": 1,
            "occurredAt": milliseconds,
            "subscriptionType": "deal.propertyChange",
            "attemptNumber": 0,
            "objectId": int(record),
            "propertyName": "dealstage",
            "propertyValue": "closedwon",
            "changeSource": "CRM_UI",
        }
        for record in records
    ]
    body = orjson.dumps(events)
    url = signed_url(f"{public_url.rstrip('/')}/webhook/hubspot")
    headers = {
        "Content-Type": "application/json",
        "X-HubSpot-Request-Timestamp": str(milliseconds),
        "X-HubSpot-Signature-v3": hmac_base64(key.encode(), f"POST{url}".encode() + body + str(milliseconds).encode()),
    }
    return SignedDelivery(path="hubspot", headers=headers, body=body)


def shopify_delivery(records: Sequence[str], *, account: str, key: str, now: datetime, public_url: str) -> SignedDelivery:
    """An order is paid. Shopify sends one event a request."""
    order = int(records[0])
    at = now.astimezone(UTC).isoformat(timespec="seconds")
    body = orjson.dumps({"id": order, "admin_graphql_api_id": f"gid://shopify/Order/{order}", "financial_status": "paid", "updated_at": at})
    headers = {
        "Content-Type": "application/json",
        "X-Shopify-Topic": "orders/paid",
        "X-Shopify-Shop-Domain": account,
        "X-Shopify-Webhook-Id": str(uuid4()),
        "X-Shopify-Event-Id": str(uuid4()),
        "X-Shopify-Triggered-At": at,
        "X-Shopify-Hmac-Sha256": hmac_base64(key.encode(), body),
    }
    return SignedDelivery(path="shopify", headers=headers, body=body)


def asana_delivery(records: Sequence[str], *, account: str, key: str, now: datetime, public_url: str) -> SignedDelivery:
    """Tasks were completed. `key` is the token of a webhook's path and its secret with a blank between them."""
    token, _, secret = key.partition(" ")
    at = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    events = [
        {
            "user": {"gid": "1201111111111111", "resource_type": "user"},
            "created_at": at,
            "action": "changed",
            "resource": {"gid": record, "resource_type": "task", "resource_subtype": "default_task"},
            "parent": None,
            "change": {"field": "completed", "action": "changed"},
        }
        for record in records
    ]
    body = orjson.dumps({"events": events})
    headers = {"Content-Type": "application/json; charset=UTF-8", "X-Hook-Signature": hmac_hex(secret.encode(), body)}
    return SignedDelivery(path=f"asana/{token}", headers=headers, body=body)


def sweep_delivery(records: Sequence[str], *, account: str, key: str, now: datetime, public_url: str) -> SignedDelivery:
    """Our own sender asks for a trading sweep of a ticker. `key` is its token and its secret with a blank between them."""
    token, _, secret = key.partition(" ")
    return signed_callback(orjson.dumps({"ticker": records[0], **SWEEP}), path=f"trading-sweep/{token}", secret=secret, now=now)


def signed_callback(body: bytes, *, path: str, secret: str, now: datetime) -> SignedDelivery:
    """A body under Standard Webhooks, with an id of its own."""
    message_id, seconds = f"msg_{secrets.token_hex(12)}", str(int(now.timestamp()))
    signature = hmac_base64(key_of(secret), f"{message_id}.{seconds}.".encode() + body)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{signature}",
    }
    return SignedDelivery(path=path, headers=headers, body=body)
