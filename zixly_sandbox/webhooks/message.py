"""What a delivery of Xero's looks like, byte for byte (contracts recorded in tests/payloads/xero/deliveries)."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import orjson

from zixly_core.signatures import hmac_base64

SIGNATURE_HEADER = "x-xero-signature"
PATHS = {
    "INVOICE": "Invoices",
    "CONTACT": "Contacts",
    "CREDITNOTE": "CreditNotes",
    "OVERPAYMENT": "Overpayments",
    "PREPAYMENT": "Prepayments",
}


@dataclass(frozen=True)
class Event:
    """One change. It says that something happened, not what the record looks like now."""

    organisation: str
    category: str
    record_id: str
    type: str
    at: datetime
    data: Mapping[str, str] | None = None
    """Type and status; only credit notes have it."""

    def document(self) -> dict[str, Any]:
        return {
            "resourceUrl": f"https://api.xero.com/api.xro/2.0/{PATHS[self.category]}/{self.record_id}",
            "resourceId": self.record_id,
            "tenantId": self.organisation,
            "tenantType": "ORGANISATION",
            "eventCategory": self.category,
            "eventType": self.type,
            # UTC, written without a zone.
            "eventDateUtc": self.at.replace(tzinfo=None).isoformat(timespec="milliseconds"),
            **({"data": dict(self.data)} if self.data else {}),
        }


def body_of(events: Sequence[Event], *, first_sequence: int, entropy: str) -> bytes:
    """The body with the blanks that Xero's has after some colons; a body parsed and written anew would not verify."""
    last = first_sequence + len(events) - 1 if events else first_sequence
    listed = b",".join(orjson.dumps(event.document()) for event in events)
    tail = f'],"firstEventSequence": {first_sequence},"lastEventSequence": {last}, "entropy": "{entropy}"}}'
    return b'{"events":[' + listed + tail.encode()


def headers_for(body: bytes, *, key: str) -> dict[str, str]:
    """The key is used as text although it looks like base64."""
    return {"Content-Type": "application/json; charset=utf-8", SIGNATURE_HEADER: hmac_base64(key.encode(), body)}


def wrongly_signed(headers: dict[str, str]) -> dict[str, str]:
    """The signature with its first character changed, as Xero's own wrong probes have."""
    signature = headers[SIGNATURE_HEADER]
    other = "/" if signature[0] != "/" else "A"
    return {**headers, SIGNATURE_HEADER: other + signature[1:]}


def entropy(random: Random) -> str:
    return "".join(random.choices(string.ascii_uppercase, k=20))
