"""Tokens of grants in Postgres: under a row lock while they are exchanged, fenced by their version. And the same in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from psycopg.errors import LockNotAvailable

from zixly_core.errors import ConnectionBusy, Disconnected, Permanent, Transient
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.issues import raise_reconnect_issue
from zixly_core.token_store import Connection, HeldTokens, KeptTokens, StoredTokens, TokenSet, TokenVault

# When jobs that met a busy connection come back: an exchange takes about a second, and 35 s at most (http_client.py).
BUSY_WAIT = timedelta(seconds=5)
# A connection changes its grant when somebody authorises it again; twice within a moment is already unlikely.
MOVES = 3

READ_SQL = """
select g.id as grant_id, g.ciphertext, g.secret_version, g.version, c.status
from zixly.connections c join zixly.grants g on g.id = c.grant_id
where c.id = %s"""

GRANT_SQL = "select grant_id from zixly.connections where id = %s and grant_id is not null"

LOCK_SQL = "select from zixly.grants where id = %s for update nowait"

REPLACE_SQL = """
update zixly.grants
set ciphertext = %(ciphertext)s, secret_version = %(secret_version)s, version = version + 1, expires_at = %(expires_at)s,
    refreshed_at = now()
where id = %(grant_id)s and version = %(version)s"""

DISCONNECT_SQL = """
update zixly.connections set status = 'DISCONNECTED', parked_reason = 'reconnect_needed'
where grant_id = %s and status <> 'DISCONNECTED' returning id, tenant_id, system, name"""


@dataclass(frozen=True)
class StoredGrant(StoredTokens):
    """A grant's tokens with the id of the grant."""

    grant_id: UUID


class PostgresTokenStore:
    """`TokenStore` over the table `grants`, as the role of the runs. The vault decides where the text of the tokens is."""

    def __init__(self, database: Database, vault: TokenVault) -> None:
        self._database = database
        self._vault = vault

    def read(self, connection: Connection) -> StoredTokens:
        with self._database.transaction(tenant_id=connection.tenant_id) as rows:
            row = rows.execute(READ_SQL, (connection.id,)).fetchone()
        # Outside the transaction: the vault may be another service.
        return stored_grant(row, connection, self._vault)

    @contextmanager
    def locked(self, connection: Connection) -> Iterator[HeldTokens]:
        with self._database.transaction(tenant_id=connection.tenant_id) as rows:
            lock(rows, connection)
            # A statement of its own: the one that locked would still show the connection's status of before.
            stored = stored_grant(rows.execute(READ_SQL, (connection.id,)).fetchone(), connection, self._vault)
            yield HeldGrant(rows, self._vault, stored)


def lock(rows: Rows, connection: Connection) -> None:
    """Lock the connection's grant; the one that it has once the lock is held."""
    grant_id = grant_of(rows, connection)
    for _ in range(MOVES):
        try:
            rows.execute(LOCK_SQL, (grant_id,))
        except LockNotAvailable:
            raise busy(connection) from None
        present = grant_of(rows, connection)
        if present == grant_id:
            return
        grant_id = present
    raise busy(connection)


def grant_of(rows: Rows, connection: Connection) -> UUID:
    row = rows.execute(GRANT_SQL, (connection.id,)).fetchone()
    if row is None:
        raise no_tokens(connection)
    grant_id: UUID = row["grant_id"]
    return grant_id


def stored_grant(row: dict[str, object] | None, connection: Connection, vault: TokenVault) -> StoredGrant:
    match row:
        case None:
            raise no_tokens(connection)
        case {"grant_id": UUID() as grant_id, "version": int() as version, "status": status}:
            tokens = vault.kept(grant_id, where_of(row))
            return StoredGrant(tokens=tokens, version=version, is_disconnected=status == "DISCONNECTED", grant_id=grant_id)
        case _:
            raise Permanent(f"The row of connection {connection.id} has another form than this program knows.", reason="unreadable_tokens")


def where_of(row: dict[str, object]) -> KeptTokens:
    ciphertext, secret_version = row["ciphertext"], row["secret_version"]
    return KeptTokens(
        ciphertext=ciphertext if isinstance(ciphertext, bytes) else None,
        secret_version=secret_version if isinstance(secret_version, str) else None,
    )


class HeldGrant:
    """The row of one grant, locked until its transaction ends."""

    def __init__(self, rows: Rows, vault: TokenVault, stored: StoredGrant) -> None:
        self._rows = rows
        self._vault = vault
        self._stored = stored

    @property
    def stored(self) -> StoredTokens:
        return self._stored

    def replace(self, tokens: TokenSet) -> None:
        kept = self._vault.keep(self._stored.grant_id, tokens)
        values = {
            "ciphertext": kept.ciphertext,
            "secret_version": kept.secret_version,
            "expires_at": tokens.expires_at,
            "grant_id": self._stored.grant_id,
            "version": self._stored.version,
        }
        if self._rows.execute(REPLACE_SQL, values).rowcount != 1:
            text = f"The tokens of grant {self._stored.grant_id} were replaced by somebody else; theirs are kept."
            raise Transient(text, reason="token_replaced")

    def disconnect(self) -> None:
        """Only connections that still live on this grant: one that was authorised again meanwhile stays connected."""
        for row in self._rows.execute(DISCONNECT_SQL, (self._stored.grant_id,)).fetchall():
            raise_reconnect_issue(self._rows, connection_id=row["id"], tenant_id=row["tenant_id"], system=row["system"], name=row["name"])


class MemoryTokenStore:
    """`TokenStore` of one process, for tests and for trying a vendor's client by hand. Each connection has a grant of its own."""

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
        if not self._lock.acquire(blocking=False):
            raise busy(connection)
        try:
            held = HeldValue(self.read(connection))
            yield held
            self._kept[connection.id] = held.after
        finally:
            self._lock.release()


class HeldValue:
    """A value of `MemoryTokenStore` under its lock; `after` is kept when the block ends."""

    def __init__(self, stored: StoredTokens) -> None:
        self.stored = stored
        self.after = stored

    def replace(self, tokens: TokenSet) -> None:
        if self.after.version != self.stored.version:
            raise Transient("The tokens were replaced already; those are kept.", reason="token_replaced")
        self.after = replace(self.after, tokens=tokens, version=self.stored.version + 1)

    def disconnect(self) -> None:
        self.after = replace(self.after, is_disconnected=True)


def busy(connection: Connection) -> ConnectionBusy:
    text = f"Another worker is exchanging the tokens of connection {connection.id}; it is tried again."
    return ConnectionBusy(text, retry_after=BUSY_WAIT)


def no_tokens(connection: Connection) -> Disconnected:
    text = f"Connection {connection.id} to {connection.system} has no tokens; connect the account."
    return Disconnected(text, connection_id=connection.id)
