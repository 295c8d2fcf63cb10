"""One suite for each implementation of `TokenStore`: memory, rows of Postgres, and AWS Secrets Manager with its lock in Postgres."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import pytest

from tests.integration.tokens.kept import BOX, authorise, store_over
from tests.support.postgres import TestDatabase
from tests.support.servers import REGION, AwsServer
from zixly_core.errors import ConnectionBusy, Disconnected, Permanent, Transient
from zixly_core.ids import new_id
from zixly_core.secrets.managed_tokens import ManagedTokens, open_from_url
from zixly_core.secrets.sealed_tokens import SealedTokens
from zixly_core.stores.tokens import BUSY_WAIT, MemoryTokenStore
from zixly_core.token_store import Connection, TokenSet, TokenStore

pytestmark = pytest.mark.contract

FIRST = TokenSet("access-0", "refresh-0", datetime(2026, 11, 22, 10, 30, tzinfo=UTC))
SECOND = TokenSet("access-1", "refresh-1", datetime(2026, 11, 22, 11, 0, tzinfo=UTC))


@dataclass(frozen=True)
class Case:
    store: TokenStore
    authorise: Callable[[TokenSet], Connection]


def in_memory() -> Case:
    store = MemoryTokenStore()

    def put(tokens: TokenSet) -> Connection:
        connection = Connection(id=new_id(), tenant_id=new_id(), system="xero", external_id="x")
        store.put(connection, tokens)
        return connection

    return Case(store, put)


@pytest.fixture(params=["memory", "postgres", "secretsmanager"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "memory":
        return in_memory()
    database: TestDatabase = request.getfixturevalue("database")
    vault = request.getfixturevalue("managed") if request.param == "secretsmanager" else None
    return Case(store_over(database.url("runs"), vault=vault), lambda tokens: authorise(database.url(), tokens, vault=vault))


@pytest.fixture
def managed(aws_server: AwsServer, aws_credentials: None) -> ManagedTokens:
    """Tokens in the emulator of Secrets Manager, under a prefix of this test's own."""
    return open_from_url(f"secretsmanager://test/{new_id()}?endpoint={aws_server.endpoint}&region={REGION}", sealed=SealedTokens(BOX))


def test_what_was_authorised_is_read_back(case: Case) -> None:
    stored = case.store.read(case.authorise(FIRST))
    assert (stored.tokens, stored.version, stored.is_disconnected) == (FIRST, 1, False)


def test_a_replaced_pair_is_kept_when_the_block_ends_with_its_version_raised(case: Case) -> None:
    connection = case.authorise(FIRST)
    with case.store.locked(connection) as held:
        assert held.stored.tokens == FIRST
        held.replace(SECOND)
        assert case.store.read(connection).tokens == FIRST, "nobody sees it before it is kept"
    assert (case.store.read(connection).tokens, case.store.read(connection).version) == (SECOND, 2)


def test_an_exception_keeps_nothing(case: Case) -> None:
    connection = case.authorise(FIRST)
    with pytest.raises(RuntimeError):
        replace_and_fail(case.store, connection)
    assert (case.store.read(connection).tokens, case.store.read(connection).version) == (FIRST, 1)


def replace_and_fail(store: TokenStore, connection: Connection) -> None:
    with store.locked(connection) as held:
        held.replace(SECOND)
        raise RuntimeError


def test_a_disconnected_connection_is_marked_and_keeps_its_tokens(case: Case) -> None:
    connection = case.authorise(FIRST)
    with case.store.locked(connection) as held:
        held.disconnect()
    assert case.store.read(connection).is_disconnected
    assert case.store.read(connection).tokens == FIRST


def test_a_connection_without_tokens_is_disconnected(case: Case) -> None:
    unknown = Connection(id=new_id(), tenant_id=new_id(), system="xero", external_id="x")
    with pytest.raises(Disconnected):
        case.store.read(unknown)
    with pytest.raises(Disconnected), case.store.locked(unknown):
        pytest.fail("a lock on nothing was given")


def test_a_lock_is_given_once_and_others_are_told_at_once(case: Case) -> None:
    """Waiting inside the database would take one of its connections for each waiter."""
    connection = case.authorise(FIRST)
    refused: list[Transient] = []

    def ask() -> None:
        with pytest.raises(ConnectionBusy) as failure, case.store.locked(connection):
            pytest.fail("the lock was given twice")
        refused.append(failure.value)

    other = threading.Thread(target=ask)
    with case.store.locked(connection) as held:
        other.start()
        other.join(timeout=10)
        held.replace(SECOND)
        held.disconnect()
    assert [(error.reason, error.retry_after) for error in refused] == [("token_exchange_busy", BUSY_WAIT)]
    with case.store.locked(connection) as held:
        assert (held.stored.tokens, held.stored.version, held.stored.is_disconnected) == (SECOND, 2, True)


def test_a_second_writer_under_the_same_version_is_refused(case: Case) -> None:
    connection = case.authorise(FIRST)
    with case.store.locked(connection) as held:
        held.replace(SECOND)
        with pytest.raises(Transient) as failure:
            held.replace(FIRST)
    assert failure.value.reason == "token_replaced"
    assert case.store.read(connection).tokens == SECOND


def test_the_apps_own_tokens_are_told_apart_from_those_that_end_for_good(case: Case) -> None:
    own = TokenSet("access-0", None, FIRST.expires_at, is_app_own=True)
    assert case.store.read(case.authorise(own)).tokens == own


def test_what_a_worker_without_its_lock_writes_to_secrets_manager_is_read_by_nobody(managed: ManagedTokens, database: TestDatabase) -> None:
    """It was stopped between the vendor's answer and its commit; another has exchanged since."""
    connection = authorise(database.url(), FIRST, vault=managed)
    store = store_over(database.url("runs"), vault=managed)
    with store.locked(connection) as held:
        held.replace(SECOND)
    managed.keep(connection.id, TokenSet("late", "late", FIRST.expires_at))
    assert store.read(connection).tokens == SECOND


def test_sealed_tokens_move_to_secrets_manager_at_their_next_exchange(managed: ManagedTokens, database: TestDatabase) -> None:
    connection = authorise(database.url(), FIRST)
    store = store_over(database.url("runs"), vault=managed)
    assert store.read(connection).tokens == FIRST
    with store.locked(connection) as held:
        held.replace(SECOND)
    assert store.read(connection).tokens == SECOND
    with psycopg.connect(database.url()) as owner:
        assert owner.execute("select ciphertext is null, secret_version is null from zixly.grants").fetchone() == (True, False)


def test_tokens_in_secrets_manager_are_named_to_a_process_that_only_knows_rows(managed: ManagedTokens, database: TestDatabase) -> None:
    connection = authorise(database.url(), FIRST, vault=managed)
    with pytest.raises(Permanent, match="ZIXLY_TOKENS_URL") as failure:
        store_over(database.url("runs")).read(connection)
    assert failure.value.reason == "other_token_store"


def test_forgotten_tokens_are_gone_from_secrets_manager(managed: ManagedTokens) -> None:
    grant = new_id()
    where = managed.keep(grant, FIRST)
    managed.forget(grant, where)
    managed.forget(grant, where)
    with pytest.raises(Permanent) as failure:
        managed.kept(grant, where)
    assert failure.value.reason == "tokens_missing"
