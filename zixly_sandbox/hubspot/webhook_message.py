"""What a delivery of HubSpot's looks like (developers.hubspot.com/docs/api/webhooks) and how it is signed
(developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from zixly_core.signatures import hmac_base64
from zixly_sandbox.hubspot.changes import INTEGRATION, Change
from zixly_sandbox.hubspot.portal import SINGULAR

APP_ID = 2345678
OWNER_USER = "userId:71100001"
# Of the address only these are decoded before it is signed.
DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
OlderVersion = Literal["v1", "v2"]


@dataclass(frozen=True)
class HubSpotEvent:
    """One change, under a subscription."""

    event_id: int
    subscription_id: int
    occurred_at: int
    change: Change

    @property
    def type(self) -> str:
        return f"{SINGULAR[self.change.object_type]}.{self.change.kind}"

    def document(self, attempt: int = 0) -> dict[str, Any]:
        """The event at its so-manieth try, counted from 0."""
        change = self.change
        document: dict[str, Any] = {
            "eventId": self.event_id,
            "subscriptionId": self.subscription_id,
            "portalId": int(change.portal),
            "appId": APP_ID,
            "occurredAt": self.occurred_at,
            "subscriptionType": self.type,
            "attemptNumber": attempt,
            "objectId": int(change.object_id),
        }
        match change.kind:
            case "propertyChange":
                document |= {"propertyName": change.property_name, "propertyValue": change.property_value}
            case "creation":
                document["changeFlag"] = "NEW"
            case "deletion":
                document["changeFlag"] = "DELETED"
        source = str(APP_ID) if change.source == INTEGRATION else OWNER_USER
        return {**document, "changeSource": change.source, "sourceId": source}


def body_of(events: Sequence[HubSpotEvent], *, attempt: int) -> bytes:
    return orjson.dumps([event.document(attempt) for event in events])


def headers_for(body: bytes, *, url: str, secret: str, now_ms: int, older: OlderVersion = "v1") -> dict[str, str]:
    """The signature of today, and beside it one of the older ones, which carry no time."""
    text = f"POST{decoded(url)}".encode() + body + str(now_ms).encode()
    before = secret.encode() if older == "v1" else f"{secret}POST{url}".encode()
    return {
        "Content-Type": "application/json",
        "X-HubSpot-Signature": hashlib.sha256(before + body).hexdigest(),
        "X-HubSpot-Signature-Version": older,
        "X-HubSpot-Signature-v3": hmac_base64(secret.encode(), text),
        "X-HubSpot-Request-Timestamp": str(now_ms),
    }


def decoded(url: str) -> str:
    for code, letter in DECODED.items():
        url = url.replace(code, letter)
    return url
