"""What is kept of a request: a few headers in plain sight; of a rejected one everything that it takes to verify it again, sealed.

A rejected request may be anything: somebody's secret sent to the wrong place, or a good delivery under a secret that we had
entered wrongly. So its address, headers and body are stored only sealed, and opened to be verified again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

import orjson

from zixly_core.errors import Permanent
from zixly_core.system import IncomingRequest

# What a sender tells us about itself and what it signed.
KEPT_HEADERS = frozenset({"content-type", "content-length", "user-agent", "traceparent"})
KEPT_PREFIXES = ("x-", "webhook-", "shopify-")
# Never kept: what authorises, and the secret that a handshake brings.
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization", "x-hook-secret"})
# Kept only sealed: what stands for a path.
TOKEN_HEADERS = frozenset({"webhook-token"})


class Box(Protocol):
    """What seals and opens (`zixly_core.secret_box.SecretBox`)."""

    def seal(self, data: bytes, *, context: str) -> bytes:
        """The data as it may be stored; it opens only with the same context."""

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The data. Raises `Permanent` when the key or the context is another."""


def plain_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may be looked at: those of the sender's own protocol."""
    return {name: value for name, value in senders_headers(headers).items() if name not in TOKEN_HEADERS}


def senders_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that it takes to verify a request."""
    return {
        name: value
        for name, value in headers.items()
        if (name in KEPT_HEADERS or name.startswith(KEPT_PREFIXES)) and name not in SECRET_HEADERS
    }


def packed(request: IncomingRequest) -> bytes:
    """A request as one piece: a line of JSON, then the body."""
    head = {
        "method": request.method,
        "url": request.url,
        "path": request.path,
        "headers": senders_headers(request.headers),
        "received_at": request.received_at.isoformat(),
    }
    return orjson.dumps(head) + b"\n" + request.body


def unpacked(piece: bytes) -> IncomingRequest:
    """The request, its arrival time included."""
    line, _, body = piece.partition(b"\n")
    head = orjson.loads(line)
    return IncomingRequest(
        method=head["method"],
        url=head["url"],
        headers=head["headers"],
        body=body,
        received_at=datetime.fromisoformat(head["received_at"]),
        path=head["path"],
    )


def opened_request(sealed: bytes, *, delivery_id: UUID, box: Box | None) -> IncomingRequest:
    """A kept request. Raises `Permanent` when it cannot be opened."""
    if box is None:
        raise Permanent("Kept requests are sealed; set ZIXLY_SECRETS_KEY or ZIXLY_SECRETS_KEY_FILE.", reason="secret_key_missing")
    return unpacked(box.open(sealed, context=str(delivery_id)))
