"""Tokens with which programs call the API: their form, how long they last, and what their maker may give them.

A token is `zx_<id>_<secret>`. The id finds its row; of the secret (256 random bits) only the SHA-256 is kept, and compared in constant
time. It is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from zixly_core.access import Membership, Role, TokenScope
from zixly_core.errors import NotAllowed, Rejected

PREFIX = "zx_"
SECRET_BYTES = 32
NOBODYS = UUID(int=0)
DEFAULT_DAYS, MOST_DAYS = 90, 365


@dataclass(frozen=True)
class GivenToken:
    """A token as somebody sent it."""

    id: UUID
    secret: str = field(repr=False)


@dataclass(frozen=True)
class WantedToken:
    """A token that somebody asks for."""

    name: str
    tenant_id: UUID | None
    role: Role
    scopes: frozenset[TokenScope]
    sees_payloads: bool
    lasts: timedelta


@dataclass(frozen=True)
class Maker:
    """Who makes a token, and what he may himself. `scopes` and `ends_at` are those of the token that he uses, if he is a program."""

    membership: Membership
    scopes: Collection[str] | None = None
    ends_at: datetime | None = None


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def text_of(token_id: UUID, secret: str) -> str:
    """The token as its user keeps it."""
    return f"{PREFIX}{token_id.hex}_{secret}"


def given_token(text: str) -> GivenToken | None:
    """None for what is no token of ours: then it may be somebody else's."""
    if not text.startswith(PREFIX):
        return None
    token_id, _, secret = text.removeprefix(PREFIX).partition("_")
    try:
        found = GivenToken(UUID(hex=token_id), secret)
    except ValueError:
        return GivenToken(NOBODYS, secret)
    is_as_made = found.id.hex == token_id  # in capitals, with hyphens or in braces it would name the same row
    return found if is_as_made else GivenToken(NOBODYS, secret)


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def is_secret(secret: str, *, sha256: bytes) -> bool:
    """Whether the digest is of this secret, in constant time."""
    return hmac.compare_digest(digest_of(secret), sha256)


def ending(wanted: WantedToken, maker: Maker, *, now: datetime) -> datetime:
    """When the token ends: never after the one that it is made with. Raises `NotAllowed` for more than the maker has, and `Rejected`."""
    if not timedelta() < wanted.lasts <= timedelta(days=MOST_DAYS):
        raise Rejected(f"A token lasts between a day and {MOST_DAYS} days.", reason="token_lasts")
    own = maker.membership
    if own.tenant_id is not None and wanted.tenant_id != own.tenant_id:
        raise NotAllowed("Tokens for all clients, or for another, are made by the agency's staff.", reason="token_exceeds_maker")
    if not own.role.covers(wanted.role) or (wanted.sees_payloads and not own.may_see_payloads):
        raise NotAllowed(f"A token cannot do more than its maker, whose role is {own.role}.", reason="token_exceeds_maker")
    if maker.scopes is not None and TokenScope.ALL not in maker.scopes and not wanted.scopes <= set(maker.scopes):
        raise NotAllowed("A token cannot have a scope that the token it is made with lacks.", reason="token_exceeds_maker")
    wished = now + wanted.lasts
    return wished if maker.ends_at is None else min(wished, maker.ends_at)
