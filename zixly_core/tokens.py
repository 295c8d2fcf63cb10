"""Access tokens of connections: cached in the process, exchanged by one worker at a time, kept before they are used.

Xero gives a new refresh token with each exchange and takes the old one again for 30 minutes only
(developer.xero.com/faq/oauth2); two workers exchanging the same token is the classic way to lose a connection. So the exchange
happens under a lock that spans processes (token_store.py); whoever waited for it reads again and uses what the winner kept. A
holder that dies lets go of the lock with nothing kept, and the next one tries the old refresh token.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from zixly_core.errors import Disconnected, Transient
from zixly_core.token_store import Connection, HeldTokens, StoredTokens, TokenSet, TokenStore

# An access token is exchanged this long before it ends, so that no call of a batch starts with one that ends on the way.
MARGIN = timedelta(seconds=60)

log = structlog.get_logger(__name__)


class AccessTokens(Protocol):
    """The access token of one connection."""

    def current(self) -> str:
        """A token to call with. Raises `Disconnected` when a person has to authorise, `Transient` when none can be had now."""

    def renewed(self, *, refused: str) -> str:
        """Another token than the one the vendor just refused with a 401; the same one when it is static. Raises as `current`."""


class Exchange(Protocol):
    """How a vendor turns a refresh token into a new pair (oauth.py)."""

    def refreshed(self, tokens: TokenSet, *, now: datetime) -> TokenSet:
        """Raises `Disconnected` when the refresh token is dead, `Transient` when the vendor cannot tell now."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class TokenKeeper:
    """The access tokens of all connections that this process works for. Safe to share between threads."""

    def __init__(self, store: TokenStore, exchanges: Callable[[str], Exchange], *, now: Callable[[], datetime] = utc_now) -> None:
        """`exchanges` gives the exchange of a system by its name."""
        self._store = store
        self._exchanges = exchanges
        self._now = now
        self._cache: dict[UUID, TokenSet] = {}
        self._locks: dict[UUID, threading.Lock] = {}
        self._guard = threading.Lock()

    def of(self, connection: Connection) -> AccessTokens:
        return ConnectionTokens(self, connection)

    def current(self, connection: Connection) -> str:
        return self._usable(connection, refused=None)

    def renewed(self, connection: Connection, *, refused: str) -> str:
        return self._usable(connection, refused=refused)

    def _usable(self, connection: Connection, *, refused: str | None) -> str:
        """Cache, then what is kept, then an exchange. One thread of the process looks further than its cache at a time, so that
        waiting for the lock takes one database connection and not one for each thread."""
        token = self._if_good(self._cache.get(connection.id), refused=refused)
        if token is not None:
            return token
        with self._lock_of(connection):
            token = self._if_good(self._cache.get(connection.id), refused=refused)
            if token is not None:
                return token
            tokens = self._kept_or_exchanged(connection, refused=refused)
            self._cache[connection.id] = tokens
        return token_of(tokens, connection)

    def _kept_or_exchanged(self, connection: Connection, *, refused: str | None) -> TokenSet:
        before = self._store.read(connection)
        kept = checked(before, connection)
        if self._if_good(kept, refused=refused) is not None:
            return kept
        with self._store.locked(connection) as held:
            kept = checked(held.stored, connection)
            # A pair that somebody exchanged while this one waited is used even if it lives for less than the margin.
            margin = MARGIN if held.stored.version == before.version else timedelta()
            if self._if_good(kept, refused=refused, margin=margin) is not None:
                return kept
            outcome = self._exchanged(connection, held)
        # The block has ended, so the new pair, or the mark, is kept: it may be used, or told, now.
        facts = {"system": connection.system, "connection_id": str(connection.id), "version": before.version}
        if isinstance(outcome, Disconnected):
            log.warning("connection_disconnected", reason=outcome.reason, **facts)
            raise outcome
        log.info("token_exchanged", expires_at=str(outcome.expires_at), **facts)
        return outcome

    def _exchanged(self, connection: Connection, held: HeldTokens) -> TokenSet | Disconnected:
        if held.stored.tokens.refresh_token is None:
            return Disconnected(f"The token of connection {connection.id} ended; connect the account again.")
        try:
            tokens = self._exchanges(connection.system).refreshed(held.stored.tokens, now=self._now())
        except Disconnected as error:
            held.disconnect()
            return error
        held.replace(tokens)
        return tokens

    def _if_good(self, tokens: TokenSet | None, *, refused: str | None, margin: timedelta = MARGIN) -> str | None:
        if tokens is None:
            return None
        is_good = tokens.is_static or (tokens.access_token != refused and tokens.lasts_until(self._now() + margin))
        return tokens.access_token if is_good else None

    def _lock_of(self, connection: Connection) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(connection.id, threading.Lock())


class ConnectionTokens:
    """`AccessTokens` of one connection, from the process's keeper."""

    def __init__(self, keeper: TokenKeeper, connection: Connection) -> None:
        self._keeper = keeper
        self._connection = connection

    def current(self) -> str:
        return self._keeper.current(self._connection)

    def renewed(self, *, refused: str) -> str:
        return self._keeper.renewed(self._connection, refused=refused)


def checked(stored: StoredTokens, connection: Connection) -> TokenSet:
    """The stored tokens. Raises `Disconnected` for a connection that is marked: its refresh token is not tried again."""
    if stored.is_disconnected:
        raise Disconnected(f"Connection {connection.id} to {connection.system} is disconnected; connect the account again.")
    return stored.tokens


def token_of(tokens: TokenSet, connection: Connection) -> str:
    """A pair that came with the exchange is used whatever its lifetime: exchanging again would not make it longer."""
    if tokens.access_token is None:
        text = f"{connection.system} gave no access token for connection {connection.id}; it is tried again."
        raise Transient(text, reason="unreadable_answer")
    return tokens.access_token
