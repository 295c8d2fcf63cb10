"""Access tokens of connections: cached in the process, exchanged by one worker at a time, kept before they are used.

Xero gives a new refresh token with each exchange and takes the old one again for 30 minutes only
(developer.xero.com/faq/oauth2); two workers exchanging the same token is the classic way to lose a connection. So the exchange
happens under a lock that spans processes (token_store.py). One thread of a process looks for all others of the process; whoever
finds the lock taken lets go of its database connection, pauses and reads again, and uses what the winner kept. A holder that dies
lets go of the lock with nothing kept, and the next one tries the old refresh token.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from zixly_core.errors import ConnectionBusy, Disconnected, Transient, ZixlyError
from zixly_core.token_store import Connection, HeldTokens, StoredTokens, TokenSet, TokenStore

# An access token is exchanged this long before it ends, so that no call of a batch starts with one that ends on the way.
MARGIN = timedelta(seconds=60)
# How long a worker waits for another's exchange before its jobs park: longer than a slow token endpoint (15 s was seen).
PATIENCE = timedelta(seconds=20)
# Seconds between two looks at what another worker exchanges: doubling, then steady, each shortened by up to half at random.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
RANDOM = random.SystemRandom()

log = structlog.get_logger(__name__)


class AccessTokens(Protocol):
    """The access token of one connection."""

    def current(self) -> str:
        """A token to call with. Raises `Disconnected` when a person has to authorise, `Transient` when none can be had now."""

    def renewed(self, *, refused: str) -> str:
        """Another token than the one the vendor just refused with a 401; the same one when it is static. Raises as `current`."""


class Exchange(Protocol):
    """How a vendor turns a refresh token into a new pair (oauth.py)."""

    def refreshed(self, tokens: TokenSet, *, account: str, now: datetime) -> TokenSet:
        """Raises `Disconnected` when the refresh token is dead, `Transient` when the vendor cannot tell now."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class TokenKeeper:
    """The access tokens of all connections that this process works for. Safe to share between threads."""

    def __init__(
        self,
        store: TokenStore,
        exchanges: Callable[[str], Exchange],
        *,
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[float], object] = time.sleep,
        patience: timedelta = PATIENCE,
    ) -> None:
        """`exchanges` gives the exchange of a system by its name; `patience` is how long another worker's exchange is waited for."""
        self._store = store
        self._exchanges = exchanges
        self._now = now
        self._pause = pause
        self._patience = patience
        self._cache: dict[UUID, TokenSet] = {}
        self._searches: dict[UUID, Future[TokenSet]] = {}
        self._guard = threading.Lock()

    def of(self, connection: Connection) -> AccessTokens:
        return ConnectionTokens(self, connection)

    def current(self, connection: Connection) -> str:
        return self._usable(connection, refused=None)

    def renewed(self, connection: Connection, *, refused: str) -> str:
        return self._usable(connection, refused=refused)

    def exchanged(self, connection: Connection) -> None:
        """Exchange the tokens though they may be good still, so that the vendor sees the authorisation used. Raises as `current`."""
        self._usable(connection, refused=checked(self._store.read(connection), connection).access_token)

    def _usable(self, connection: Connection, *, refused: str | None) -> str:
        """Cache, then what is kept, then an exchange. One thread looks further than the cache at a time, and what it comes to, a
        failure too, is the answer to all that waited: they neither take a database connection each nor fail one after another."""
        while True:
            token = self._if_good(self._cache.get(connection.id), refused=refused)
            if token is not None:
                return token
            search, is_ours = self._search_for(connection)
            if is_ours:
                return token_of(self._found(search, connection, refused=refused), connection)
            tokens = search.result()
            if tokens.is_static or tokens.access_token != refused:
                return token_of(tokens, connection)

    def _search_for(self, connection: Connection) -> tuple[Future[TokenSet], bool]:
        """The search that is under way, or a new one that the caller has to do."""
        with self._guard:
            search = self._searches.get(connection.id)
            if search is not None:
                return search, False
            return self._searches.setdefault(connection.id, Future()), True

    def _found(self, search: Future[TokenSet], connection: Connection, *, refused: str | None) -> TokenSet:
        failure: ZixlyError = ConnectionBusy(f"The exchange of the tokens of connection {connection.id} was interrupted.")
        tokens: TokenSet | None = None
        try:
            tokens = self._kept_or_exchanged(connection, refused=refused)
            self._cache[connection.id] = tokens
        except ZixlyError as error:
            failure = error
            raise
        finally:
            with self._guard:
                del self._searches[connection.id]
            if tokens is None:
                search.set_exception(failure)
            else:
                search.set_result(tokens)
        return tokens

    def _kept_or_exchanged(self, connection: Connection, *, refused: str | None) -> TokenSet:
        before = self._store.read(connection)
        kept = checked(before, connection)
        if self._if_good(kept, refused=refused) is not None:
            return kept
        for seconds in pauses(self._patience):
            with suppress(ConnectionBusy):
                return self._kept_or_exchanged_under_lock(connection, before, refused=refused)
            self._pause(seconds)
            present = self._store.read(connection)
            if self._is_usable_now(present, connection, before, refused=refused):
                return present.tokens
        return self._kept_or_exchanged_under_lock(connection, before, refused=refused)

    def _kept_or_exchanged_under_lock(self, connection: Connection, before: StoredTokens, *, refused: str | None) -> TokenSet:
        """Raises `ConnectionBusy` at once when another worker holds the lock."""
        with self._store.locked(connection) as held:
            if self._is_usable_now(held.stored, connection, before, refused=refused):
                return held.stored.tokens
            outcome = self._exchanged(connection, held)
        # The block has ended, so the new pair, or the mark, is kept: it may be used, or told, now.
        facts = {"system": connection.system, "connection_id": str(connection.id), "version": held.stored.version}
        if isinstance(outcome, Disconnected):
            log.warning("connection_disconnected", reason=outcome.reason, **facts)
            raise outcome
        log.info("token_exchanged", expires_at=str(outcome.expires_at), **facts)
        return outcome

    def _is_usable_now(self, stored: StoredTokens, connection: Connection, before: StoredTokens, *, refused: str | None) -> bool:
        """A pair that somebody exchanged while this one waited is used even if it lives for less than the margin."""
        margin = MARGIN if stored.version == before.version else timedelta()
        return self._if_good(checked(stored, connection), refused=refused, margin=margin) is not None

    def _exchanged(self, connection: Connection, held: HeldTokens) -> TokenSet | Disconnected:
        if not held.stored.tokens.is_renewable:
            held.disconnect()
            return disconnected(connection, f"The token of connection {connection.id} ended; connect the account again.")
        try:
            exchange = self._exchanges(connection.system)
            tokens = exchange.refreshed(held.stored.tokens, account=connection.external_id, now=self._now())
        except Disconnected as error:
            held.disconnect()
            return disconnected(connection, str(error))
        held.replace(tokens)
        return tokens

    def _if_good(self, tokens: TokenSet | None, *, refused: str | None, margin: timedelta = MARGIN) -> str | None:
        if tokens is None:
            return None
        is_good = tokens.is_static or (tokens.access_token != refused and tokens.lasts_until(self._now() + margin))
        return tokens.access_token if is_good else None


def pauses(patience: timedelta) -> Iterator[float]:
    """Seconds to pause between looks, until `patience` is used up. Random, so that waiters do not look all at once."""
    left, pause = patience.total_seconds(), FIRST_PAUSE
    while left > 0:
        seconds = min(pause * (0.5 + RANDOM.random() / 2), left)
        yield seconds
        left -= seconds
        pause = min(pause * 2, LONGEST_PAUSE)


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
        raise disconnected(connection, f"Connection {connection.id} to {connection.system} is disconnected; connect the account again.")
    return stored.tokens


def disconnected(connection: Connection, text: str) -> Disconnected:
    return Disconnected(text, connection_id=connection.id)


def token_of(tokens: TokenSet, connection: Connection) -> str:
    """A pair that came with the exchange is used whatever its lifetime: exchanging again would not make it longer."""
    if tokens.access_token is None:
        text = f"{connection.system} gave no access token for connection {connection.id}; it is tried again."
        raise Transient(text, reason="unreadable_answer")
    return tokens.access_token
