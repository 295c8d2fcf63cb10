"""Xero's webhooks: signed over the raw body, answered 200 with nothing, probed before they are switched on.

Rules: developer.xero.com/documentation/webhooks/configuring-your-server. The key is used as text although it looks like
base64; the body has blanks that a rewritten one would lose; an intent-to-receive probe is a delivery without events, right
ones want 200 and wrong ones 401 within 5 seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from zixly_core.errors import InvalidSignature, MalformedPayload, Rejected
from zixly_core.signatures import hmac_base64, is_signed_by_any
from zixly_core.system import Answer, IncomingRequest, Numbers, ParsedEvent, Reading, ReceiveProfile

SIGNATURE_HEADER = "x-xero-signature"
MAX_ID_BYTES = 200  # five of them make a dedupe key, and a key of more than 2,700 bytes has no place in an index
MAX_NUMBER = 2**62  # what a bigint holds, with room above it
TAKEN = Answer(status=200)
REFUSED = Answer(status=401)


class XeroProfile(ReceiveProfile):
    """How deliveries from Xero are received."""

    def verify(self, request: IncomingRequest, *, secrets: Sequence[str]) -> None:
        given = request.headers.get(SIGNATURE_HEADER)
        if not given:
            raise InvalidSignature(f"A Xero delivery came without {SIGNATURE_HEADER}.", reason="signature_missing")
        expected = [hmac_base64(secret.encode(), request.body) for secret in secrets]
        if not is_signed_by_any(given, expected):
            raise InvalidSignature(f"{SIGNATURE_HEADER} does not match the body under any of {len(secrets)} webhook keys.")

    def read(self, request: IncomingRequest) -> Reading:
        document = document_of(request.body)
        events = tuple(event_from(item) for item in document["events"])
        return Reading(events=events, answer=TAKEN, is_handshake=not events, numbers=numbers_of(document) if events else None)

    def rejection(self, error: Rejected) -> Answer:
        """A wrong signature gets 401. A signed body that cannot be read is kept and answered with 200: another 24 hours of the
        same body would not be readable either, and would end with the webhook switched off for every organisation."""
        return TAKEN if isinstance(error, MalformedPayload) else REFUSED


def document_of(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedPayload(f"The body of a Xero delivery is not JSON: {error.msg}.") from error
    if not isinstance(document, dict) or not isinstance(document.get("events"), list):
        raise MalformedPayload("The body of a Xero delivery is not an object with a list named events.")
    return document


def numbers_of(document: Mapping[str, Any]) -> Numbers | None:
    """What Xero numbers its app's events with, over all organisations. Nothing is refused for numbers that make no sense."""
    first, last = document.get("firstEventSequence"), document.get("lastEventSequence")
    return Numbers(first, last) if type(first) is int and type(last) is int and 0 < first <= last <= MAX_NUMBER else None


def event_from(item: object) -> ParsedEvent:
    """One event. Categories and types are open sets and are written in upper case: Xero's own casing varies."""
    if not isinstance(item, dict):
        raise MalformedPayload("An event of a Xero delivery is not an object.")
    organisation, category = text_of(item, "tenantId"), text_of(item, "eventCategory").upper()
    resource, kind, at = (
        text_of(item, "resourceId"),
        text_of(item, "eventType").upper(),
        text_of(item, "eventDateUtc"),
    )
    return ParsedEvent(
        dedupe_key=f"{organisation}:{category}:{resource}:{kind}:{at}",
        record_key=f"xero:{organisation}:{category}:{resource}",
        category=category,
        type=kind,
        external_id=organisation,
        record_id=resource,
        occurred_at=instant_of(at),
        payload=item,
    )


def text_of(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value.encode()) <= MAX_ID_BYTES:
        raise MalformedPayload(f"An event of a Xero delivery has no usable text in {name}.")
    return value


def instant_of(text: str) -> datetime:
    """`eventDateUtc` is UTC and written without a zone."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedPayload("An event of a Xero delivery has an eventDateUtc that is not a date.") from error
