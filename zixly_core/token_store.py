"""Where OAuth tokens are kept, and what must hold while they are exchanged. Implementations: stores/tokens.py, secrets/.

One consent may reach several accounts (a Xero user's organisations). What it gave is a *grant*: tokens, lock and version belong to
the grant, and each connection points to one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import orjson

from zixly_core.errors import Permanent


@dataclass(frozen=True)
class Connection:
    """A tenant's authorised account at a system: `external_id` is a Xero organisation, a HubSpot portal."""

    id: UUID
    tenant_id: UUID
    system: str
    external_id: str


@dataclass(frozen=True)
class TokenSet:
    """What a vendor gave. Without access token the connection was authorised and not used yet."""

    access_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    is_app_own: bool = False
    """Whether the app asks for another with its own credentials (`client_credentials`), without a refresh token."""

    @property
    def is_static(self) -> bool:
        """An access token that is never exchanged, such as that of a HubSpot app for a single account."""
        return self.access_token is not None and self.refresh_token is None and self.expires_at is None

    @property
    def is_renewable(self) -> bool:
        return self.refresh_token is not None or self.is_app_own

    def lasts_until(self, at: datetime) -> bool:
        """Whether the access token is known to be good until then."""
        return self.access_token is not None and self.expires_at is not None and at < self.expires_at


@dataclass(frozen=True)
class StoredTokens:
    """A token set as it is kept. `version` rises with each exchange; nothing is written under an older one."""

    tokens: TokenSet
    version: int
    is_disconnected: bool


@dataclass(frozen=True)
class KeptTokens:
    """Where a grant's tokens are: sealed in its row, or in a secret manager under a version that never changes. One is set."""

    ciphertext: bytes | None = field(default=None, repr=False)
    secret_version: str | None = None


class TokenVault(Protocol):
    """Keeps the text of token sets. What is kept takes effect only when the row that holds the answer is committed, so a writer
    whose row was taken by another leaves nothing behind that anybody reads."""

    def keep(self, grant_id: UUID, tokens: TokenSet) -> KeptTokens:
        """Raises `Transient` when the back end is away, `Permanent` when it refuses."""

    def kept(self, grant_id: UUID, where: KeptTokens) -> TokenSet:
        """The tokens that a row names. Raises as `keep`."""

    def forget(self, grant_id: UUID, where: KeptTokens) -> None:
        """Remove what lies outside the row of a grant that is no longer needed. Raises as `keep`."""


class HeldTokens(Protocol):
    """A grant's tokens under an exclusive lock: nobody else exchanges them meanwhile."""

    @property
    def stored(self) -> StoredTokens: ...

    def replace(self, tokens: TokenSet) -> None:
        """Keep a new pair. Raises `Transient` when the version moved in spite of the lock."""

    def disconnect(self) -> None:
        """Mark every connection of the grant, and raise an issue: a person has to authorise again."""


class TokenStore(Protocol):
    def read(self, connection: Connection) -> StoredTokens:
        """The tokens as they are now, without waiting for a lock. Raises `Disconnected` when there are none."""

    def locked(self, connection: Connection) -> AbstractContextManager[HeldTokens]:
        """The tokens under the lock. What was changed is kept when the block ends, and only then; an exception or the death of
        the process keeps nothing and lets go of the lock. Raises `ConnectionBusy` at once when somebody else holds it (waiting
        inside the database would take one of its connections for each waiter), `Disconnected` when there are no tokens."""


def packed(tokens: TokenSet) -> bytes:
    """The token set as the JSON that is sealed."""
    expires_at = tokens.expires_at.isoformat() if tokens.expires_at else None
    document = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token, "expires_at": expires_at}
    return orjson.dumps(document | {"is_app_own": True} if tokens.is_app_own else document)


def unpacked(data: bytes) -> TokenSet:
    """The reverse of `packed`; fields that are absent read as null. Raises `Permanent` without repeating what it read."""
    try:
        document = orjson.loads(data)
        expires_at = document.get("expires_at")
        at = datetime.fromisoformat(expires_at) if expires_at else None
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError):
        text = "The stored tokens of a connection cannot be read; connect the account again."
        raise Permanent(text, reason="unreadable_tokens") from None
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    access_token, refresh_token = text_or_none(document.get("access_token")), text_or_none(document.get("refresh_token"))
    return TokenSet(access_token, refresh_token, at, is_app_own=document.get("is_app_own") is True)


def text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
