"""Paths of our own that senders call: one for each webhook that a vendor signs with a secret of its own, for each sender that we
gave a secret, and for each single answer that a job waits for.

What makes such a path is a token that nobody can guess. It is told to the sender once and stored nowhere; we know its digest.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

TOKEN_BYTES = 24  # 192 bits: guessing one of a million paths takes longer than there is time
ADDRESS_LENGTH = 32  # hexadecimal digits, 128 bits; also the external id of a sender's connection


class SubscriptionKind(StrEnum):
    """How a request to the path is proved."""

    SIGNED = "signed"
    """By a secret that we gave to the sender."""
    ONCE = "once"
    """By the path alone, one time, until it expires."""
    HANDSHAKE = "handshake"
    """By a secret that the sender gives us in its first request."""


class SubscriptionStatus(StrEnum):
    """PENDING: made, and the vendor has not called yet. GONE: it takes nothing more."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    GONE = "GONE"


@dataclass(frozen=True)
class Subscription:
    """What receiving needs to know about a path."""

    id: UUID
    kind: SubscriptionKind
    status: SubscriptionStatus
    job_id: UUID | None = None
    """The job that waits for what comes."""
    expires_at: datetime | None = None
    used_at: datetime | None = None

    def takes_requests(self, *, now: datetime) -> bool:
        """Whether a request may still come. A path for one answer goes on telling repeats of it from strangers."""
        if self.used_at is not None:
            return True
        return self.status is not SubscriptionStatus.GONE and (self.expires_at is None or now < self.expires_at)


def new_token() -> str:
    """A token for a path: letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_digest(token: str) -> str:
    """What is stored of a token: its SHA-256, in hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def address_of(token: str) -> str:
    """How a path is known to the rest of the program: the beginning of its token's digest."""
    return token_digest(token)[:ADDRESS_LENGTH]
