"""Asana's webhooks: each has a path and a secret of its own, and begins with a handshake.

Rules: developers.asana.com/docs/webhooks-guide. While our call that makes the webhook is still open, Asana posts its secret to the
path in `X-Hook-Secret` and wants it back; from then on bodies are signed with it. An empty list of events is a heartbeat. Events
name what changed and never the new value, carry no id, and come up from subtasks and comments too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from zixly_core.errors import InvalidSignature, MalformedPayload, Rejected
from zixly_core.payloads import document_of, instant_or_none, is_text, object_of, text_of
from zixly_core.signatures import hmac_hex, is_signed_by_any
from zixly_core.subscriptions import address_of
from zixly_core.system import Answer, Handshake, IncomingRequest, ParsedEvent, Reading, ReceiveProfile

SECRET_HEADER = "x-hook-secret"  # noqa: S105 - the name of a header
SIGNATURE_HEADER = "x-hook-signature"
EVENT = "An event of an Asana delivery"
KEY_DIGITS = 32  # hexadecimal digits of the digest over all fields of an event: 128 bits
TAKEN = Answer(status=200)
REFUSED = Answer(status=401)


class AsanaProfile(ReceiveProfile):
    """How deliveries from Asana are received."""

    def verify(self, request: IncomingRequest, *, secrets: Sequence[str]) -> None:
        given = request.headers.get(SIGNATURE_HEADER)
        if not given:
            raise InvalidSignature(f"An Asana delivery came without {SIGNATURE_HEADER}.", reason="signature_missing")
        expected = [hmac_hex(secret.encode(), request.body) for secret in secrets]
        if not is_signed_by_any(given, expected):
            raise InvalidSignature(f"{SIGNATURE_HEADER} does not match the body under the secret of this path.")

    def read(self, request: IncomingRequest) -> Reading:
        document = object_of(document_of(request.body, what="an Asana delivery"), what="The body of an Asana delivery")
        items = document.get("events", [])
        if not isinstance(items, list):
            raise MalformedPayload("The body of an Asana delivery has no list named events.")
        address = self.secret_owner(request)
        events = tuple(event_from(object_of(item, what=EVENT), address=address) for item in items)
        return Reading(events=events, answer=TAKEN, is_handshake=not events)

    def rejection(self, error: Rejected) -> Answer:
        """A signed body that cannot be read is answered with 200 and kept: after a day of refusals Asana deletes the webhook."""
        return TAKEN if isinstance(error, MalformedPayload) else REFUSED

    def secret_owner(self, request: IncomingRequest) -> str:
        return address_of(urlsplit(request.url).path.rstrip("/").rpartition("/")[2])

    def handshake(self, request: IncomingRequest) -> Handshake | None:
        secret = request.headers.get(SECRET_HEADER)
        if secret is None or SIGNATURE_HEADER in request.headers:
            return None
        if not is_text(secret) or not secret.isascii():
            raise InvalidSignature(f"{SECRET_HEADER} holds nothing that can be a secret.", reason="handshake_refused")
        return Handshake(secret=secret, answer=Answer(status=200, headers={"X-Hook-Secret": secret}))


def event_from(item: Mapping[str, Any], *, address: str) -> ParsedEvent:
    """One event. Without an id of its own it is known by all its fields together."""
    resource = object_of(item.get("resource"), what=f"{EVENT}: its resource")
    kind, gid = text_of(resource, "resource_type", what=EVENT), text_of(resource, "gid", what=EVENT)
    verb = verb_of(item)
    at = instant_or_none(item.get("created_at"))
    if at is None:
        raise MalformedPayload(f"{EVENT} has a created_at that is not a date.")
    return ParsedEvent(
        dedupe_key=f"{kind}:{gid}:{verb}:{digest_of(item)}",
        record_key=f"asana:{kind}:{gid}",
        category=kind,
        type=verb,
        external_id=address,
        record_id=gid,
        occurred_at=at,
        payload=item,
    )


def verb_of(item: Mapping[str, Any]) -> str:
    """The action, with the field where one was changed: `added`, `changed:completed`."""
    action, change = text_of(item, "action", what=EVENT), item.get("change")
    field = change.get("field") if isinstance(change, dict) else None
    return f"{action}:{field}" if is_text(field) else action


def digest_of(item: Mapping[str, Any]) -> str:
    """A digest of the event, whatever the order of its fields."""
    try:
        return hashlib.sha256(orjson.dumps(item, option=orjson.OPT_SORT_KEYS)).hexdigest()[:KEY_DIGITS]
    except orjson.JSONEncodeError as error:
        raise MalformedPayload(f"{EVENT} is nested too deeply.", reason="not_storable") from error
