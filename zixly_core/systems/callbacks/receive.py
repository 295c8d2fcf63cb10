"""Deliveries of our own and other services, signed by the open convention Standard Webhooks (www.standardwebhooks.com).

Each sender has an unguessable path `/webhook/callbacks/{token}` and a secret of its own. A sender may ask for work on a record
of another system by naming it in `data.record`: `{"system", "account", "category", "id"}`. It asks for a trading sweep under
`/webhook/trading-sweep/{token}`, or under `/webhook/trading-sweep` with the token in the header `webhook-token`.
A service that signs nothing gets a path for one answer.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from zixly_core.errors import InvalidSignature, MalformedPayload, Rejected, StaleTimestamp
from zixly_core.payloads import document_of, object_of
from zixly_core.record_keys import record_key
from zixly_core.signatures import hmac_base64, is_signed_by_any
from zixly_core.subscriptions import address_of
from zixly_core.system import Answer, IncomingRequest, ParsedEvent, Reading, ReceiveProfile, Subject
from zixly_core.systems.callbacks.sweep_request import sweep_request_of

SWEEP_PATHS = frozenset({"trading-sweep", "trading-sweep/{token}"})
TOKEN_HEADER = "webhook-token"  # noqa: S105 - the name of a header
TOLERANCE = timedelta(minutes=5)  # both ways, as the convention advises
MAX_ID_BYTES = 200  # several of them make a key, and a key of more than 2,700 bytes has no place in an index
MAX_HEADER_LENGTH = 2_000  # room for many signatures while secrets change
TWICE = ", "  # what joins two headers of one name; the signatures in one header are parted by blanks alone
JOB_IDS = Answer(status=202, body=None)


class CallbacksProfile(ReceiveProfile):
    """How deliveries signed by the Standard Webhooks convention are received."""

    def verify(self, request: IncomingRequest, *, secrets: Sequence[str]) -> None:
        if request.path == "trading-sweep":
            header(request, TOKEN_HEADER)
        message_id, timestamp, given = (header(request, name) for name in ("webhook-id", "webhook-timestamp", "webhook-signature"))
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 11:
            raise StaleTimestamp("webhook-timestamp is not a number of seconds.")
        age = request.received_at - datetime.fromtimestamp(int(timestamp), UTC)
        if abs(age) > TOLERANCE:
            raise StaleTimestamp(f"webhook-timestamp is {age.total_seconds():.0f} s away from our clock; 300 s are accepted.")
        signed = f"{message_id}.{timestamp}.".encode() + request.body
        expected = [hmac_base64(key_of(secret), signed) for secret in secrets]
        offered = [part.removeprefix("v1,") for part in given.split(" ") if part.startswith("v1,") and TWICE not in given]
        if not any(is_signed_by_any(one, expected) for one in offered):
            raise InvalidSignature("webhook-signature does not match the body under the sender's secrets.")

    def read(self, request: IncomingRequest) -> Reading:
        document = object_of(document_of(request.body, what="a callback"), what="The body of a callback")
        make = sweep_event if request.path in SWEEP_PATHS else event_from
        return Reading(events=(make(document, request),), answer=JOB_IDS)

    def read_unsigned(self, request: IncomingRequest) -> Reading:
        """The one answer that somebody waits for. A body that is no object is put into one; no body at all is an answer too."""
        answer = document_of(request.body, what="a callback") if request.body else {}
        payload = answer if isinstance(answer, dict) else {"data": answer}
        return Reading(events=(answered(payload, request),), answer=JOB_IDS)

    def secret_owner(self, request: IncomingRequest) -> str:
        if request.path == "trading-sweep":
            return address_of(request.headers.get(TOKEN_HEADER, ""))
        return account_of(request.url)

    def rejection(self, error: Rejected) -> Answer:
        status = 400 if isinstance(error, MalformedPayload) else 401
        document = {"error": error.reason, "message": str(error)}
        return Answer(status=status, headers={"content-type": "application/json"}, body=orjson.dumps(document))


def account_of(url: str) -> str:
    """The sender's external id: a digest of the token in the path, so that the token itself is stored nowhere."""
    return address_of(urlsplit(url).path.rstrip("/").rpartition("/")[2])


def event_from(document: Mapping[str, Any], request: IncomingRequest) -> ParsedEvent:
    message_id = header(request, "webhook-id")
    kind = plain_text(document.get("type"), "type")
    sender = CallbacksProfile().secret_owner(request)
    record = record_of(document)
    return ParsedEvent(
        dedupe_key=message_id,
        record_key=record[0] if record else f"callbacks:{sender}:{message_id}",
        category="callback",
        type=kind,
        external_id=sender,
        record_id=record[1] if record else message_id,
        occurred_at=occurred_at(document) or request.received_at,
        payload=document,
        subject=record[2] if record else None,
    )


def sweep_event(document: Mapping[str, Any], request: IncomingRequest) -> ParsedEvent:
    """A sweep that is asked for. Raises `MalformedPayload`, naming the field, for a request that cannot be carried out."""
    sweep_request_of(document)
    return own_event("sweep", "requested", document, request, message_id=header(request, "webhook-id"))


def answered(payload: Mapping[str, Any], request: IncomingRequest) -> ParsedEvent:
    """The answer to a path for one answer: whatever comes there is the same event."""
    return own_event("callback", "answered", payload, request, message_id="once")


def own_event(category: str, verb: str, payload: Mapping[str, Any], request: IncomingRequest, *, message_id: str) -> ParsedEvent:
    """An event about the message itself, and about no record of another system."""
    sender = CallbacksProfile().secret_owner(request)
    return ParsedEvent(
        dedupe_key=message_id,
        record_key=f"callbacks:{sender}:{message_id}",
        category=category,
        type=verb,
        external_id=sender,
        record_id=message_id,
        occurred_at=request.received_at,
        payload=payload,
    )


def record_of(document: Mapping[str, Any]) -> tuple[str, str, Subject] | None:
    data = document.get("data")
    record = data.get("record") if isinstance(data, dict) else None
    if not isinstance(record, dict):
        return None
    system, account, category, record_id = (
        plain_text(record.get(name), f"data.record.{name}") for name in ("system", "account", "category", "id")
    )
    key = record_key(system, account=account, category=category, record_id=record_id)
    return key, record_id, Subject(system=system, external_id=account)


def occurred_at(document: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(document["timestamp"])
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def header(request: IncomingRequest, name: str, *, max_length: int = MAX_HEADER_LENGTH) -> str:
    value = request.headers.get(name)
    if not value or len(value.encode()) > max_length or not value.isprintable():
        raise InvalidSignature(f"A callback came without a usable {name} header.", reason="signature_missing")
    return value


def plain_text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value.encode()) <= MAX_ID_BYTES:
        raise MalformedPayload(f"A callback has no usable text in {name}.")
    return value


def key_of(secret: str) -> bytes:
    """The signing key: what follows `whsec_`, decoded from base64."""
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise InvalidSignature("A sender's secret is not base64 after whsec_; set it anew.", reason="secret_unusable") from error
