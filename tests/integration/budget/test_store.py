"""Budgets in Postgres: one decision at a time, each tenant its own, and no waiting for anybody else's locks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from tests.integration.budget.processes import connected
from tests.support.busy import longest
from tests.support.postgres import TestDatabase
from zixly_cli.stack.ports import free_port
from zixly_core.api_limits import Concurrent, Limits
from zixly_core.budget_account import Account, Ask, Permit, asked
from zixly_core.errors import Permanent, StoreUnavailable
from zixly_core.ids import new_id
from zixly_core.stores.api_counts import api_counts
from zixly_core.stores.budgets import PostgresBudgets
from zixly_core.stores.database import Database
from zixly_core.stores.readings import read
from zixly_core.systems.xero.limits import xero_limits
from zixly_core.token_store import Connection

pytestmark = pytest.mark.integration


@pytest.fixture
def runs(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("runs"), name="budgets", max_size=8)
    yield opened
    opened.close()


def ask() -> Ask:
    return Ask(str(new_id()), "live", 1, True, frozenset({"minute", "day", "app_minute"}))


def asked_once(store: PostgresBudgets, connection: Connection, limits: Limits) -> object:
    return store.change(connection, lambda account, now: asked(account, limits, ask(), now=now))


def test_forty_threads_that_ask_at_once_get_five_permits(database: TestDatabase, runs: Database) -> None:
    store, connection, got = PostgresBudgets(runs), connected(database), list[object]()
    limits = Limits(concurrent=(Concurrent(5, kept_for_live=0),))
    threads = [threading.Thread(target=lambda: got.append(asked_once(store, connection, limits))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, Permit) for one in got) == 5
    assert len(got) == 40


def test_what_is_kept_reads_back_as_it_was(database: TestDatabase, runs: Database) -> None:
    store, connection = PostgresBudgets(runs), connected(database)
    asked_once(store, connection, xero_limits({}))
    first = store.change(connection, lambda account, _: (account, account))
    assert first.sent == 1
    assert len(first.under_way) == 1
    again = store.change(connection, lambda account, _: (replace(account), account))
    assert again == first


def test_another_tenants_account_can_be_neither_read_nor_spent(database: TestDatabase, runs: Database) -> None:
    store, connection = PostgresBudgets(runs), connected(database)
    asked_once(store, connection, xero_limits({}))
    stranger = connected(database, external_id="another-organisation")
    with pytest.raises(Permanent, match="is not one of tenant"):
        asked_once(store, replace(connection, tenant_id=stranger.tenant_id), xero_limits({}))
    with runs.transaction(tenant_id=stranger.tenant_id) as rows:
        assert rows.execute("select count(*) as n from zixly.api_budgets").fetchone() == {"n": 0}


def test_a_decision_does_not_wait_for_a_transaction_that_writes_about_the_connection(database: TestDatabase, runs: Database) -> None:
    """Writes are made while their targets are locked, and a connection may be parked meanwhile."""
    connection = connected(database)
    with psycopg.connect(database.url("owner")) as owner:
        owner.execute("update zixly.connections set parked_reason = 'test' where id = %s", (connection.id,))
        began = time.monotonic()
        assert isinstance(asked_once(PostgresBudgets(runs), connection, xero_limits({})), Permit)
        assert time.monotonic() - began < longest(2)


def test_when_postgres_is_away_no_permit_is_given(database: TestDatabase) -> None:
    connection = connected(database)
    nowhere = Database(f"postgresql://zixly_runs:x@127.0.0.1:{free_port()}/none", name="budgets", timeout_seconds=0.5)
    with pytest.raises(StoreUnavailable):
        asked_once(PostgresBudgets(nowhere), connection, xero_limits({}))
    nowhere.close()


def test_the_role_of_the_metrics_sees_the_account_with_the_fewest_calls_left(database: TestDatabase, runs: Database) -> None:
    store = PostgresBudgets(runs)
    for calls, organisation in ((1, "one"), (3, "two")):
        connection = connected(database, external_id=organisation)
        store.change(connection, lambda account, now, calls=calls: (spent(account, calls, now=now), None))
    metrics = Database(database.url("metrics"), name="metrics")
    remaining = read(metrics, api_counts).remaining
    metrics.close()
    assert remaining["xero", "minute"] == 57


def spent(account: Account, calls: int, *, now: float) -> Account:
    """An account whose minute began with 60 calls, of which so many are gone."""
    windows = xero_limits({}).windows[:1]
    first, _ = asked(account, Limits(windows), ask(), now=now)
    state = replace(first.windows["minute"], left=60 - calls, ends_by=now + 60)
    return replace(first, windows={"minute": state})
