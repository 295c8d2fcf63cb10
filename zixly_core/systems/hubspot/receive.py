"""HubSpot's webhooks: one target URL for an app, up to 100 events of many portals in a request.

Rules: developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation. Version 3 of the signature
covers method, URL, body and a timestamp. Versions 1 and 2 are sent beside it and carry no timestamp, so a request with nothing
better is refused: it could be an old one. The events: developers.hubspot.com/docs/api/webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from zixly_core.errors import InvalidSignature, MalformedPayload, Rejected, StaleTimestamp
from zixly_core.payloads import document_of, object_of, text_of, text_or_none
from zixly_core.signatures import hmac_base64, is_signed_by_any
from zixly_core.system import Answer, IncomingRequest, ParsedEvent, Reading, ReceiveProfile

SIGNATURE_HEADER = "x-hubspot-signature-v3"
OLDER_SIGNATURE_HEADER = "x-hubspot-signature"
TIMESTAMP_HEADER = "x-hubspot-request-timestamp"
TOLERANCE = timedelta(minutes=5)  # HubSpot's rule looks back only; nothing of ours comes from the future either
LONGEST_TIMESTAMP = 14  # digits of milliseconds, good for thousands of years

# What HubSpot decodes in the URL before it signs; everything else stays as it is in the URL.
DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'",
    "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
ENCODED = re.compile("|".join(DECODED), re.IGNORECASE)

# The generic form of an event (`object.propertyChange`) names its object by number
# (developers.hubspot.com/docs/api-reference/legacy/crm/using-object-apis).
OBJECT_TYPES = {"0-1": "contact", "0-2": "company", "0-3": "deal", "0-5": "ticket", "0-7": "product", "0-8": "line_item"}
GENERIC = "object"
# Where an event names its record: merges and associations have fields of their own.
RECORD_FIELDS = ("objectId", "primaryObjectId", "fromObjectId")
EVENT = "An event of a HubSpot delivery"
TAKEN = Answer(status=200)
REFUSED = Answer(status=401)


class HubSpotProfile(ReceiveProfile):
    """How deliveries from HubSpot are received."""

    def verify(self, request: IncomingRequest, *, secrets: Sequence[str]) -> None:
        given = signature_of(request)
        timestamp = timestamp_of(request)
        signed = b"".join((request.method.encode(), signed_url(request.url).encode(), request.body, timestamp.encode()))
        expected = [hmac_base64(secret.encode(), signed) for secret in secrets]
        if not is_signed_by_any(given, expected):
            text = f"{SIGNATURE_HEADER} does not match method, URL, body and timestamp under any of {len(secrets)} client secrets."
            raise InvalidSignature(f"{text} The URL is ZIXLY_BRIDGE_PUBLIC_URL and the path, as set for the app at HubSpot.")

    def read(self, request: IncomingRequest) -> Reading:
        items = document_of(request.body, what="a HubSpot delivery")
        if not isinstance(items, list):
            raise MalformedPayload("The body of a HubSpot delivery is not a list.")
        events = tuple(event_from(object_of(item, what=EVENT)) for item in items)
        return Reading(events=events, answer=TAKEN, is_handshake=not events)

    def rejection(self, error: Rejected) -> Answer:
        """A signed body that cannot be read is answered with 200 and kept: ten more tries would bring the same body."""
        return TAKEN if isinstance(error, MalformedPayload) else REFUSED


def signature_of(request: IncomingRequest) -> str:
    given = request.headers.get(SIGNATURE_HEADER)
    if given:
        return given
    if OLDER_SIGNATURE_HEADER in request.headers:
        text = "A HubSpot delivery came with signature version 1 or 2 only; they carry no timestamp, so version 3 is required."
        raise InvalidSignature(text, reason="signature_version")
    raise InvalidSignature(f"A HubSpot delivery came without {SIGNATURE_HEADER}.", reason="signature_missing")


def timestamp_of(request: IncomingRequest) -> str:
    """The timestamp as it was signed. Raises `StaleTimestamp` when it is none, or too far from the arrival."""
    text = request.headers.get(TIMESTAMP_HEADER, "")
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST_TIMESTAMP:
        raise StaleTimestamp(f"{TIMESTAMP_HEADER} is not a number of milliseconds.")
    age = request.received_at - datetime.fromtimestamp(int(text) / 1000, UTC)
    if abs(age) > TOLERANCE:
        limit = TOLERANCE.total_seconds()
        raise StaleTimestamp(f"{TIMESTAMP_HEADER} is {age.total_seconds():.0f} s away from our clock; {limit:.0f} s are accepted.")
    return text


def signed_url(url: str) -> str:
    """The URL as HubSpot signs it."""
    return ENCODED.sub(lambda found: DECODED[found.group().upper()], url)


def event_from(item: Mapping[str, Any]) -> ParsedEvent:
    """One event. Kinds are an open set. `attemptNumber` is no part of the key: a repeat of an event is the same event."""
    portal = text_of(item, "portalId", what=EVENT)
    category, verb = kind_of(item)
    record = next((found for name in RECORD_FIELDS if (found := text_or_none(item, name))), None)
    if record is None:
        raise MalformedPayload(f"{EVENT} names no record.")
    changed = what_changed(item)
    occurred = text_of(item, "occurredAt", what=EVENT)
    event_id = text_or_none(item, "eventId") or ""
    return ParsedEvent(
        dedupe_key=f"{portal}:{category}.{verb}:{record}:{changed}:{event_id}:{occurred}",
        record_key=f"hubspot:{portal}:{category}:{record}",
        category=category,
        type=f"{verb}:{changed}" if verb == "propertyChange" and changed else verb,
        external_id=portal,
        record_id=record,
        occurred_at=instant_of(occurred),
        payload=item,
    )


def kind_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """Object and verb, such as `deal` and `propertyChange`. The field is called `subscriptionType` in every example and
    `eventType` in the table of fields."""
    name = "subscriptionType" if "subscriptionType" in item else "eventType"
    category, _, verb = text_of(item, name, what=EVENT).partition(".")
    if not verb:
        raise MalformedPayload(f"{EVENT} has a {name} that is not an object and a verb.")
    if category == GENERIC:
        number = text_of(item, "objectTypeId", what=EVENT)
        category = OBJECT_TYPES.get(number, number)
    return category, verb


def what_changed(item: Mapping[str, Any]) -> str:
    """The property that changed; for an association its type and other end."""
    parts = (text_or_none(item, name) for name in ("propertyName", "associationType", "toObjectId"))
    return ">".join(part for part in parts if part)


def instant_of(milliseconds: str) -> datetime:
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise MalformedPayload(f"{EVENT} has an occurredAt that is not a number of milliseconds.") from error
