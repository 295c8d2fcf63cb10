"""One suite for each implementation of `TokenStore`: memory and Postgres."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.tokens.kept import authorise, store_over
from tests.support.postgres import TestDatabase
from zixly_core.errors import Disconnected, Transient
from zixly_core.ids import new_id
from zixly_core.stores.tokens import MemoryTokenStore
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


@pytest.fixture(params=["memory", "postgres"])
def case(request: pytest.FixtureRequest) -> Case:
    if request.param == "memory":
        return in_memory()
    database: TestDatabase = request.getfixturevalue("database")
    return Case(store_over(database.url("runs")), lambda tokens: authorise(database.url(), tokens))


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


def test_whoever_waited_for_the_lock_sees_what_the_holder_kept(case: Case) -> None:
    connection = case.authorise(FIRST)
    waiting, seen = threading.Event(), list[tuple[TokenSet, bool]]()

    def wait_and_look() -> None:
        waiting.set()
        with case.store.locked(connection) as held:
            seen.append((held.stored.tokens, held.stored.is_disconnected))

    other = threading.Thread(target=wait_and_look)
    with case.store.locked(connection) as held:
        other.start()
        waiting.wait()
        other.join(timeout=0.3)
        assert seen == [], "the lock is exclusive"
        held.replace(SECOND)
        held.disconnect()
    other.join()
    assert seen == [(SECOND, True)]


def test_a_second_writer_under_the_same_version_is_refused(database: TestDatabase) -> None:
    connection = authorise(database.url(), FIRST)
    store = store_over(database.url("runs"))
    with store.locked(connection) as held:
        held.replace(SECOND)
        with pytest.raises(Transient) as failure:
            held.replace(FIRST)
    assert failure.value.reason == "token_replaced"
    assert store.read(connection).tokens == SECOND


def test_a_lock_that_is_held_for_too_long_is_not_waited_for(database: TestDatabase) -> None:
    connection = authorise(database.url(), FIRST)
    impatient = store_over(database.url("runs"), lock_timeout=timedelta(milliseconds=100))
    with store_over(database.url("runs")).locked(connection):
        with pytest.raises(Transient) as failure, impatient.locked(connection):
            pytest.fail("the lock was given twice")
        assert failure.value.reason == "token_exchange_busy"
