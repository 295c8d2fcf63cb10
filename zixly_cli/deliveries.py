"""Deliveries of our own making, signed as the system itself would sign them: for `zixly send`, the demo and the tests."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import httpx2
import orjson

from zixly_cli.signed_delivery import SignedDelivery
from zixly_cli.vendor_samples import asana_delivery, hubspot_delivery, shopify_delivery, signed_callback, sweep_delivery
from zixly_core.errors import SettingsError, Transient
from zixly_core.signatures import hmac_base64

TIMEOUT_SECONDS = 10.0
# Xero numbers the events of an app. A sample is none of these: with numbers of its own the watchdog would take it for a numbering that
# began anew, and then miss everything up to Xero's next number. Zeros say nothing.
NO_NUMBER = 0


def xero_delivery(records: Sequence[str], *, account: str, key: str, now: datetime, public_url: str = "") -> SignedDelivery:
    """An "invoice updated" for each record of a Xero organisation, with the blanks that Xero writes."""
    at = now.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    events = [
        {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{record}",
            "resourceId": record,
            "tenantId": account,
            "tenantType": "ORGANISATION",
            "eventCategory": "INVOICE",
            "eventType": "UPDATE",
            "eventDateUtc": at,
        }
        for record in records
    ]
    entropy = "".join(secrets.choice(string.ascii_uppercase) for _ in range(20))
    body = (
        f'{{"events":{orjson.dumps(events).decode()},"firstEventSequence": {NO_NUMBER},'
        f'"lastEventSequence": {NO_NUMBER}, "entropy": "{entropy}"}}'
    ).encode()
    return xero_signed(body, key=key)


def xero_signed(body: bytes, *, key: str) -> SignedDelivery:
    """A Xero body under the key; the key is used as text."""
    headers = {"Content-Type": "application/json; charset=utf-8", "x-xero-signature": hmac_base64(key.encode(), body)}
    return SignedDelivery(path="xero", headers=headers, body=body)


def callback_delivery(records: Sequence[str], *, account: str, key: str, now: datetime, public_url: str = "") -> SignedDelivery:
    """Our own sender asks for work on one invoice of a Xero organisation (Standard Webhooks). `key` is its token and its secret
    with a blank between them."""
    token, _, secret = key.partition(" ")
    record = {"system": "xero", "account": account, "category": "INVOICE", "id": records[0]}
    body = orjson.dumps({"type": "invoice.changed", "timestamp": now.astimezone(UTC).isoformat(), "data": {"record": record}})
    return signed_callback(body, path=f"callbacks/{token}", secret=secret, now=now)


# What is sent -> how its sample is made. Takes record ids, account, key, clock and the address that the bridge is known by.
SAMPLES: Mapping[str, Callable[..., SignedDelivery]] = {
    "xero": xero_delivery,
    "hubspot": hubspot_delivery,
    "shopify": shopify_delivery,
    "asana": asana_delivery,
    "callbacks": callback_delivery,
    "trading-sweep": sweep_delivery,
}
SIGNERS: Mapping[str, Callable[..., SignedDelivery]] = {"xero": xero_signed}


def sample_maker(system: str) -> Callable[..., SignedDelivery]:
    """Raises `SettingsError` naming the systems that exist."""
    if system not in SAMPLES:
        raise SettingsError(f"No sample can be made for {system!r}; there are samples for: {', '.join(SAMPLES)}")
    return SAMPLES[system]


def post(delivery: SignedDelivery, *, bridge_url: str) -> httpx2.Response:
    """Send it to a bridge. Raises `Transient` when there is no answer."""
    url = f"{bridge_url}/webhook/{delivery.path}"
    try:
        return httpx2.post(url, content=delivery.body, headers=dict(delivery.headers), timeout=TIMEOUT_SECONDS, trust_env=False)
    except httpx2.HTTPError as error:
        raise Transient(f"{url} did not answer ({type(error).__name__}); is the stack up? `zixly status` tells") from error
