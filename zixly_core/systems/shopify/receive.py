"""Shopify's webhooks: one event a request, signed over the raw body with the client secret of our app.

Rules: shopify.dev/docs/apps/build/webhooks/verify-deliveries and .../delivery-structure. Only the body is signed. Topic, shop and ids
stand in headers that anybody who has seen one delivery can change, so they are held against the body where it says the same
(`names.py`), the shop has to be one that authorised us, and the key that a delivery is known by holds the body too: a made-up id
takes nobody's place. A delivery that is sent again under a new id makes a second job, which finds its effects done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from zixly_core.errors import InvalidSignature, MalformedPayload, Rejected
from zixly_core.payloads import document_of, instant_or_none, is_text, object_of
from zixly_core.signatures import hmac_base64, is_signed_by_any
from zixly_core.system import Answer, IncomingRequest, ParsedEvent, Reading, ReceiveProfile
from zixly_core.systems.shopify.names import Document, check_shop, check_topic, record_of

PREFIXES = ("x-shopify-", "shopify-")  # the newer names leave out the X- (shopify.dev/docs/apps/build/events/verify-deliveries)
TAKEN = Answer(status=200)
REFUSED = Answer(status=401)


class ShopifyProfile(ReceiveProfile):
    """How deliveries from Shopify are received."""

    def verify(self, request: IncomingRequest, *, secrets: Sequence[str]) -> None:
        given = header(request, "hmac-sha256")
        expected = [hmac_base64(secret.encode(), request.body) for secret in secrets]
        if not is_signed_by_any(given, expected):
            raise InvalidSignature(f"The HMAC of a Shopify delivery does not match its body under any of {len(secrets)} client secrets.")

    def read(self, request: IncomingRequest) -> Reading:
        topic, shop, delivery_id = (header(request, name) for name in ("topic", "shop-domain", "webhook-id"))
        document = object_of(document_of(request.body, what="a Shopify delivery"), what="The body of a Shopify delivery")
        check_topic(document, topic)
        check_shop(document, shop.lower())
        event = event_from(document, request, topic=topic, shop=shop.lower(), delivery_id=delivery_id)
        return Reading(events=(event,), answer=TAKEN)

    def rejection(self, error: Rejected) -> Answer:
        """A signed body that cannot be read is answered with 200 and kept: after 8 refusals Shopify deletes the subscription."""
        return TAKEN if isinstance(error, MalformedPayload) else REFUSED


def event_from(document: Document, request: IncomingRequest, *, topic: str, shop: str, delivery_id: str) -> ParsedEvent:
    category, _, verb = topic.partition("/")
    kind, record_id = record_of(document, category) or (category, delivery_id)
    return ParsedEvent(
        dedupe_key=delivery_id,
        record_key=f"shopify:{shop}:{kind}:{record_id}",
        category=category,
        type=verb,
        external_id=shop,
        record_id=record_id,
        occurred_at=occurred_at(document, request.received_at),
        payload=document,
        fingerprint=f"{topic}:{hashlib.sha256(request.body).hexdigest()}",
    )


def occurred_at(document: Document, received_at: datetime) -> datetime:
    """The time that was signed; the header with a better one was not, and a time of choice would make a delivery the newest."""
    said = (instant_or_none(document.get(name)) for name in ("updated_at", "created_at"))
    return min(next((at for at in said if at is not None), received_at), received_at)


def header(request: IncomingRequest, name: str) -> str:
    """A header of Shopify's, by either name. Raises `InvalidSignature`."""
    value = next((request.headers[prefix + name] for prefix in PREFIXES if prefix + name in request.headers), None)
    if not is_text(value):
        raise InvalidSignature(f"A Shopify delivery came without a usable header for {name}.", reason="signature_missing")
    return str(value)
