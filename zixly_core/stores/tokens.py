"""Tokens in Postgres: sealed, under a row lock while they are exchanged, fenced by their version. And the same in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from psycopg.errors import LockNotAvailable

from zixly_core.errors import Disconnected, Transient
from zixly_core.secret_box import SecretBox
from zixly_core.stores.database import Database, Rows
from zixly_core.token_store import Connection, HeldTokens, StoredTokens, TokenSet, packed, secret_context, unpacked

# Longer than the slowest exchange that still succeeds (timeouts of http_client.py), so that a waiter finds its result.
LOCK_TIMEOUT = timedelta(seconds=45)

READ_SQL = """
select s.ciphertext, s.version, c.status from zixly.connection_secrets s join zixly.connections c on c.id = s.connection_id
where s.connection_id = %s"""

LOCK_SQL = "select from zixly.connection_secrets where connection_id = %s for update"

REPLACE_SQL = """
update zixly.connection_secrets
set ciphertext = %(ciphertext)s, version = version + 1, expires_at = %(expires_at)s, updated_at = now()
where connection_id = %(connection_id)s and version = %(version)s"""

DISCONNECT_SQL = "update zixly.connections set status = 'DISCONNECTED', parked_reason = 'reconnect_needed' where id = %s"


class PostgresTokenStore:
    """`TokenStore` over the table `connection_secrets`, as the role of the runs."""

    def __init__(self, database: Database, box: SecretBox, *, lock_timeout: timedelta = LOCK_TIMEOUT) -> None:
        self._database = database
        self._box = box
        self._lock_timeout = lock_timeout

    def read(self, connection: Connection) -> StoredTokens:
        with self._database.transaction(tenant_id=connection.tenant_id) as rows:
            return self._stored(rows, connection)

    @contextmanager
    def locked(self, connection: Connection) -> Iterator[HeldTokens]:
        with self._database.transaction(tenant_id=connection.tenant_id) as rows:
            self._lock(rows, connection)
            # A statement of its own: the one that waited would still see the connection's status of before the wait.
            yield HeldRow(rows, self._box, connection, self._stored(rows, connection))

    def _lock(self, rows: Rows, connection: Connection) -> None:
        milliseconds = int(self._lock_timeout.total_seconds() * 1000)
        rows.execute("select set_config('lock_timeout', %s, true)", (f"{milliseconds}ms",))
        try:
            rows.execute(LOCK_SQL, (connection.id,))
        except LockNotAvailable:
            text = f"Another worker is exchanging the tokens of connection {connection.id}; it is tried again."
            raise Transient(text, reason="token_exchange_busy") from None

    def _stored(self, rows: Rows, connection: Connection) -> StoredTokens:
        row = rows.execute(READ_SQL, (connection.id,)).fetchone()
        if row is None:
            raise no_tokens(connection)
        tokens = unpacked(self._box.open(row["ciphertext"], context=secret_context(connection)))
        return StoredTokens(tokens=tokens, version=row["version"], is_disconnected=row["status"] == "DISCONNECTED")


class HeldRow:
    """The row of one connection, locked until its transaction ends."""

    def __init__(self, rows: Rows, box: SecretBox, connection: Connection, stored: StoredTokens) -> None:
        self._rows = rows
        self._box = box
        self._connection = connection
        self._stored = stored

    @property
    def stored(self) -> StoredTokens:
        return self._stored

    def replace(self, tokens: TokenSet) -> None:
        values = {
            "ciphertext": self._box.seal(packed(tokens), context=secret_context(self._connection)),
            "expires_at": tokens.expires_at,
            "connection_id": self._connection.id,
            "version": self._stored.version,
        }
        if self._rows.execute(REPLACE_SQL, values).rowcount != 1:
            text = f"The tokens of connection {self._connection.id} were replaced by somebody else; theirs are kept."
            raise Transient(text, reason="token_replaced")

    def disconnect(self) -> None:
        self._rows.execute(DISCONNECT_SQL, (self._connection.id,))


class MemoryTokenStore:
    """`TokenStore` of one process, for tests and for trying a vendor's client by hand."""

    def __init__(self) -> None:
        self._kept: dict[UUID, StoredTokens] = {}
        self._lock = threading.Lock()

    def put(self, connection: Connection, tokens: TokenSet) -> None:
        """Authorise a connection: new tokens, and it is connected again."""
        before = self._kept.get(connection.id)
        self._kept[connection.id] = StoredTokens(tokens, version=before.version + 1 if before else 1, is_disconnected=False)

    def read(self, connection: Connection) -> StoredTokens:
        stored = self._kept.get(connection.id)
        if stored is None:
            raise no_tokens(connection)
        return stored

    @contextmanager
    def locked(self, connection: Connection) -> Iterator[HeldTokens]:
        with self._lock:
            held = HeldValue(self.read(connection))
            yield held
            self._kept[connection.id] = held.after


class HeldValue:
    """A value of `MemoryTokenStore` under its lock; `after` is kept when the block ends."""

    def __init__(self, stored: StoredTokens) -> None:
        self.stored = stored
        self.after = stored

    def replace(self, tokens: TokenSet) -> None:
        self.after = StoredTokens(tokens, version=self.stored.version + 1, is_disconnected=self.after.is_disconnected)

    def disconnect(self) -> None:
        self.after = StoredTokens(self.after.tokens, version=self.after.version, is_disconnected=True)


def no_tokens(connection: Connection) -> Disconnected:
    return Disconnected(f"Connection {connection.id} to {connection.system} has no tokens; connect the account.")
