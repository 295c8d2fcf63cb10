"""Changing the key that seals secrets, while others go on working, and stopped half-way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.resealing import reseal_all
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.key_file import create_key_file, read_key_file, rotate_key_file
from zixly_core.secrets.key_sources import FileKeys
from zixly_core.secrets.keys import SecretKey
from zixly_core.secrets.sealed_tokens import SealedTokens
from zixly_core.stores.database import Database
from zixly_core.stores.sealed import counts_by_key
from zixly_core.stores.tokens import PostgresTokenStore
from zixly_core.token_store import Connection, TokenSet

OLD, NEW, LOST = SecretKey(b"o" * 32), SecretKey(b"n" * 32), SecretKey(b"l" * 32)
GRANTS, OTHERS = 130, 3


@dataclass
class Sealed:
    """Rows sealed with the old key in every column that there is: (table, column, id) -> context and secret."""

    database: Database
    ledger: TestLedger
    secrets: dict[tuple[str, str, UUID], tuple[str, bytes]]

    def readable_with(self, box: SecretBox) -> bool:
        for (table, column, row_id), (context, secret) in self.secrets.items():
            row = self.ledger.owner.execute(f"select {column} as sealed from zixly.{table} where id = %s", (row_id,)).fetchone()
            assert row is not None
            assert box.open(row["sealed"], context=context) == secret, (table, column)
        return True


@pytest.fixture
def reseal(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("reseal"), name="secrets")
    yield opened
    opened.close()


@pytest.fixture
def sealed(ledger: TestLedger, reseal: Database) -> Sealed:
    rows = Sealed(reseal, ledger, {})
    for number in range(GRANTS):
        add_grant(rows, f"token {number}".encode())
    for number in range(OTHERS):
        add_signing_secrets(rows, f"signing {number}".encode())
        add_delivery(rows, f"rejected {number}".encode())
        add_consent(rows, f"consent {number}".encode())
        add_channel(rows, f"https://hooks.example.test/{number}".encode())
    return rows


def keep(rows: Sealed, table: str, column: str, row_id: UUID, *, context: str, secret: bytes, key: SecretKey = OLD) -> bytes:
    rows.secrets[table, column, row_id] = (context, secret)
    return SecretBox([key]).seal(secret, context=context)


def add_grant(rows: Sealed, secret: bytes, *, key: SecretKey = OLD) -> UUID:
    row_id = new_id()
    value = keep(rows, "grants", "ciphertext", row_id, context=str(row_id), secret=secret, key=key)
    rows.ledger.owner.execute(
        "insert into zixly.grants (id, tenant_id, system, ciphertext) values (%s, %s, 'xero', %s)", (row_id, rows.ledger.tenant.id, value)
    )
    return row_id


def add_signing_secrets(rows: Sealed, secret: bytes) -> None:
    """One of a connection, one of a path."""
    owner, tenant = rows.ledger.owner, rows.ledger.tenant
    subscription = new_id()
    owner.execute(
        "insert into zixly.subscriptions (id, tenant_id, connection_id, system, kind) values (%s, %s, %s, 'xero', 'signed')",
        (subscription, tenant.id, tenant.xero),
    )
    for path, context in ((None, str(tenant.xero)), (subscription, str(subscription))):
        row_id = new_id()
        value = keep(rows, "signing_secrets", "ciphertext", row_id, context=context, secret=secret)
        owner.execute(
            "insert into zixly.signing_secrets (id, connection_id, subscription_id, ciphertext) values (%s, %s, %s, %s)",
            (row_id, tenant.xero, path, value),
        )


def add_delivery(rows: Sealed, secret: bytes) -> None:
    row_id = new_id()
    value = keep(rows, "deliveries", "sealed", row_id, context=str(row_id), secret=secret)
    rows.ledger.owner.execute(
        "insert into zixly.deliveries (id, system, path, received_at, verdict, status, headers, body, body_sha256, sealed)"
        " values (%s, 'xero', '/webhook/xero', now(), 'rejected', 401, '{}', '', '', %s)",
        (row_id, value),
    )


def add_consent(rows: Sealed, secret: bytes) -> None:
    row_id = new_id()
    context = f"oauth_states/{row_id}"
    verifier = keep(rows, "oauth_states", "verifier", row_id, context=context, secret=secret)
    tokens = keep(rows, "oauth_states", "tokens", row_id, context=context, secret=secret)
    rows.ledger.owner.execute(
        "insert into zixly.oauth_states (id, tenant_id, system, actor, status, verifier, tokens, expires_at)"
        " values (%s, %s, 'xero', 'somebody', 'CHOOSING', %s, %s, now() + interval '1 hour')",
        (row_id, rows.ledger.tenant.id, verifier, tokens),
    )


def add_channel(rows: Sealed, secret: bytes) -> None:
    row_id = new_id()
    value = keep(rows, "notification_channels", "secret", row_id, context=str(row_id), secret=secret)
    rows.ledger.owner.execute(
        "insert into zixly.notification_channels (id, kind, name, address, secret) values (%s, 'slack', %s, 'hooks.example.test', %s)",
        (row_id, f"channel {row_id}", value),
    )


def test_everything_is_sealed_anew_and_the_old_key_opens_nothing(sealed: Sealed) -> None:
    told: list[int] = []
    result = reseal_all(sealed.database, SecretBox([NEW, OLD]), actor="somebody", tell=lambda _column, done: told.append(done))
    assert sum(result.resealed.values()) == sum(told) == len(sealed.secrets) == GRANTS + 6 * OTHERS
    assert max(told) == 50
    assert (result.left(), result.left(OLD.id), result.unreadable) == (0, 0, {})
    assert sealed.readable_with(SecretBox([NEW]))
    assert {key for keys in counts_by_key(sealed.database).values() for key in keys} == {NEW.id}
    row = sealed.ledger.owner.execute("select actor, subject, details from zixly.audit_log where action = 'secrets.resealed'").fetchone()
    assert row is not None
    assert (row["actor"], row["subject"], row["details"]["grants.ciphertext"]) == ("somebody", f"key {NEW.id.hex()}", GRANTS)


def test_a_second_time_there_is_nothing_to_do(sealed: Sealed) -> None:
    reseal_all(sealed.database, SecretBox([NEW, OLD]), actor="somebody")
    assert sum(reseal_all(sealed.database, SecretBox([NEW, OLD]), actor="somebody").resealed.values()) == 0


def test_a_value_whose_key_is_lost_stays_and_is_told_of(sealed: Sealed) -> None:
    lost = add_grant(sealed, b"gone", key=LOST)
    result = reseal_all(sealed.database, SecretBox([NEW, OLD]), actor="somebody", pause=pytest.fail)
    assert result.unreadable == {"grants.ciphertext": [lost]}
    assert (result.left(), result.left(OLD.id), result.left(LOST.id)) == (1, 0, 1)


def test_a_row_that_is_being_worked_on_is_left_until_it_is_free(sealed: Sealed, database: TestDatabase) -> None:
    """As an exchange of tokens does: it holds the row, and what it writes must not be overwritten."""
    (table, column, row_id) = next(iter(sealed.secrets))
    new = keep(sealed, table, column, row_id, context=str(row_id), secret=b"exchanged meanwhile")
    holder = psycopg.connect(database.url("owner"))
    holder.execute("select from zixly.grants where id = %s for update", (row_id,))

    def exchanged(_seconds: float) -> None:
        holder.execute("update zixly.grants set ciphertext = %s where id = %s", (new, row_id))
        holder.commit()

    result = reseal_all(sealed.database, SecretBox([NEW, OLD]), actor="somebody", pause=exchanged)
    holder.close()
    assert result.left() == 0
    assert sealed.readable_with(SecretBox([NEW]))


def test_tokens_are_read_and_exchanged_all_the_while(sealed: Sealed, tmp_path: Path) -> None:
    """A worker that began with the old key alone goes on, and learns of the new one from the file."""
    path = tmp_path / "secrets.key"
    create_key_file(path, random_bytes=lambda _size: OLD.value)
    worker = SecretBox(FileKeys(path))
    ledger = sealed.ledger
    grant = add_grant(sealed, b'{"access_token": "a0", "refresh_token": "r0", "expires_at": null}')
    ledger.owner.execute("update zixly.connections set grant_id = %s where id = %s", (grant, ledger.tenant.xero))
    store = PostgresTokenStore(ledger.runs, SealedTokens(worker))
    connection = Connection(ledger.tenant.xero, ledger.tenant.id, "xero", "somewhere")
    stop, failures, exchanges = threading.Event(), list[Exception](), list[str]()

    def work() -> None:
        while not stop.is_set():
            try:
                with store.locked(connection) as held:
                    assert held.stored.tokens.access_token == (exchanges[-1] if exchanges else "a0")
                    exchanges.append(f"a{len(exchanges) + 1}")
                    held.replace(TokenSet(exchanges[-1], "r", None))
            except Exception as error:
                if type(error).__name__ != "ConnectionBusy":
                    failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        rotate_key_file(path)
        result = reseal_all(sealed.database, SecretBox(FileKeys(path)), actor="somebody", batch=5, pause=lambda _seconds: None)
    finally:
        stop.set()
        thread.join(timeout=30)
    assert failures == []
    assert len(exchanges) > 3
    assert result.left(OLD.id) == 0
    assert worker.key_ids == tuple(key.id for key in read_key_file(path))
    assert store.read(connection).tokens.access_token == exchanges[-1]


KILLED = """
import os, signal, sys
from zixly_core.resealing import reseal_all
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.keys import SecretKey
from zixly_core.stores.database import Database
seen = []
def tell(column, done):
    seen.append(done)
    if len(seen) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
box = SecretBox([SecretKey(b"n" * 32), SecretKey(b"o" * 32)])
reseal_all(Database(sys.argv[1], name="secrets"), box, actor="killed", tell=tell, batch=20)
"""


def test_a_change_that_was_killed_half_way_goes_on(sealed: Sealed, database: TestDatabase) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, database.url("reseal")], env=dict(os.environ), timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    box = SecretBox([NEW, OLD])
    assert sealed.readable_with(box)
    assert next(iter(counts_by_key(sealed.database).values())) == {NEW.id: 60, OLD.id: GRANTS - 60}
    result = reseal_all(sealed.database, box, actor="somebody")
    assert (result.resealed["grants.ciphertext"], result.left()) == (GRANTS - 60, 0)


@pytest.mark.parametrize(
    "query",
    [
        "select payload from zixly.events",
        "select body from zixly.deliveries",
        "select tenant_id from zixly.grants",
        "update zixly.grants set tenant_id = id",
        "delete from zixly.grants",
        "select actor from zixly.audit_log",
        "delete from zixly.audit_log",
    ],
)
def test_the_role_that_seals_anew_can_do_nothing_else(database: TestDatabase, query: str) -> None:
    with psycopg.connect(database.url("reseal")) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(query)
