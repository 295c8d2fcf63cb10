"""Accounts' budgets in Postgres: one row each, locked for the moment of a decision. And the same in memory.

A decision is a transaction of its own on a connection of its own pool, so it works in the middle of another transaction and never
waits for its locks. What a crash of the server forgets is told again by the next answers, so nobody waits for the disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar
from uuid import UUID

import orjson

from zixly_core.budget_account import CALL_SECONDS, Account, UnderWay
from zixly_core.budget_keeper import Decide
from zixly_core.budget_windows import BucketState, FixedState, WindowState
from zixly_core.circuit import Circuit
from zixly_core.errors import Permanent
from zixly_core.stores.account_rests import note_circuit
from zixly_core.stores.database import Database, Rows
from zixly_core.token_store import Connection

T = TypeVar("T")

# The time is taken after the lock, for which somebody may have waited; and nobody waits for the disk. One round trip for all three.
LOCK_SQL = """
with locked as materialized (select state from zixly.api_budgets where connection_id = %s for update)
select state, extract(epoch from clock_timestamp())::float8 as now, set_config('synchronous_commit', 'off', true) from locked"""
FIRST_SQL = """
insert into zixly.api_budgets (connection_id, tenant_id, system)
select id, tenant_id, system from zixly.connections where id = %s on conflict do nothing"""
KEEP_SQL = "update zixly.api_budgets set state = %s::jsonb, updated_at = now() where connection_id = %s"


class PostgresBudgets:
    """The budgets that all workers share, as the role of the runs."""

    def __init__(self, database: Database) -> None:
        """`database` is a pool for nothing else: whoever waits here may hold connections of another."""
        self._database = database

    def change(self, connection: Connection, decide: Decide[T]) -> T:
        """Decide about an account while nobody else does. Raises `StoreUnavailable`; nothing is let out on the strength of that."""
        with self._database.transaction(tenant_id=connection.tenant_id) as rows:
            before, now = locked(rows, connection)
            after, answer = decide(before, now)
            if after is not before:
                rows.execute(KEEP_SQL, (packed(after), connection.id))
            if after.circuit != before.circuit:
                note_circuit(rows, connection, before.circuit, after.circuit, trial_seconds=CALL_SECONDS, now=now)
        return answer


def locked(rows: Rows, connection: Connection) -> tuple[Account, float]:
    """The account and the time, the account locked until the transaction ends."""
    found = rows.execute(LOCK_SQL, (connection.id,)).fetchone()
    if found is None:
        rows.execute(FIRST_SQL, (connection.id,))
        found = rows.execute(LOCK_SQL, (connection.id,)).fetchone()
    if found is None:
        raise Permanent(f"Connection {connection.id} is not one of tenant {connection.tenant_id}.", reason="connection_missing")
    return account_from(found["state"]), found["now"]


class MemoryBudgets:
    """Budgets of one process, for tests and for trying a client by hand."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.accounts: dict[UUID, Account] = {}
        self._clock = clock
        self._lock = threading.Lock()

    def change(self, connection: Connection, decide: Decide[T]) -> T:
        with self._lock:
            after, answer = decide(self.accounts.get(connection.id, Account()), self._clock())
            self.accounts[connection.id] = after
        return answer


def packed(account: Account) -> str:
    return orjson.dumps(asdict(account)).decode()


def account_from(state: Mapping[str, Any]) -> Account:
    """The reverse of `packed`; the empty object is an account that nobody has called yet."""
    if not state:
        return Account()
    values = dict(state)
    values["windows"] = {name: window_from(one) for name, one in state["windows"].items()}
    values["under_way"] = tuple(UnderWay(**one) for one in state["under_way"])
    values["circuit"] = Circuit(**state["circuit"])
    return Account(**values)


def window_from(values: Mapping[str, Any]) -> WindowState:
    return FixedState(**values) if "round" in values else BucketState(**values)
