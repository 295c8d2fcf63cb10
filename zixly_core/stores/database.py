"""Connections to Postgres: one small pool for each role a process uses, opened on first use and never inherited by a fork."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
import psycopg
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from zixly_core.errors import StoreUnavailable

Rows = Connection[DictRow]

# A worker that was stopped in the middle of a transaction must not hold its locks for longer than its lease.
# PgBouncer passes no options on: there its own `idle_transaction_timeout` does it (docs/architecture.md).
SESSION_OPTIONS = "-c search_path=zixly -c idle_in_transaction_session_timeout=60000"

# A connection that has rested for so long is tried before it is given out; one that was just used answers.
RESTED_SECONDS = 1.0


C = TypeVar("C", Connection[DictRow], psycopg.AsyncConnection[DictRow])


class Rested(Generic[C]):
    """Which connections of a pool have not been used lately. To try each one at every turn would be every second statement.

    A use is noted by whoever used it: with a `reset` of its own the pool gives a connection back by way of a thread, and whoever comes
    meanwhile is opened another one."""

    def __init__(self) -> None:
        self._used_at: WeakKeyDictionary[C, float] = WeakKeyDictionary()

    def note(self, connection: C) -> None:
        self._used_at[connection] = time.monotonic()

    def has(self, connection: C) -> bool:
        used_at = self._used_at.get(connection)
        return used_at is None or time.monotonic() - used_at > RESTED_SECONDS


class Database:
    """A database seen by one role. Safe to share between threads; after a fork the child opens a pool of its own."""

    def __init__(self, url: str, *, name: str, max_size: int = 4, timeout_seconds: float = 5) -> None:
        self._url = url
        self._name = name
        self._max_size = max_size
        self._timeout_seconds = timeout_seconds
        self._pool: ConnectionPool[Rows] | None = None
        self._pool_pid: int | None = None
        self._rested: Rested[Rows] = Rested()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Database(name={self._name!r})"

    @contextmanager
    def transaction(self, *, tenant_id: UUID | None = None) -> Iterator[Rows]:
        """One transaction, committed at the end or rolled back by an exception; `tenant_id` is what row-level security sees.

        Raises `StoreUnavailable` when Postgres cannot be reached or goes away.
        """
        try:
            with self._opened_pool().connection() as connection:
                connection.execute(beginning(tenant_id))
                yield connection
                self._rested.note(connection)
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
            raise StoreUnavailable(
                f"Postgres could not be used as {self._name} ({type(error).__name__}); it is tried again by itself."
            ) from error

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None and self._pool_pid == os.getpid():
            pool.close()

    def _opened_pool(self) -> ConnectionPool[Rows]:
        if self._pool is not None and self._pool_pid == os.getpid():
            return self._pool
        with self._lock:
            if self._pool is None or self._pool_pid != os.getpid():
                self._pool = self._new_pool()
                self._pool_pid = os.getpid()
            return self._pool

    def _new_pool(self) -> ConnectionPool[Rows]:
        return ConnectionPool(
            self._url,
            min_size=0,
            max_size=self._max_size,
            timeout=self._timeout_seconds,
            max_idle=300,
            check=self._check_rested,
            configure=read_json_fast,
            kwargs={**connection_arguments(self._name), "autocommit": True},  # transactions begin with `beginning`
            open=True,
        )

    def _check_rested(self, connection: Rows) -> None:
        """The pool takes another connection when this one is dead."""
        if self._rested.has(connection):
            ConnectionPool.check_connection(connection)


def read_json_fast(connection: Rows) -> None:
    """Checkpoints and results are read back eight times in a run. What they say is ours: no number in it is too large for 64 bits."""
    set_json_loads(orjson.loads, connection)


def beginning(tenant_id: UUID | None) -> bytes:
    """One round trip that begins a transaction and says whose rows it may see."""
    return b"begin" if tenant_id is None else f"begin; set local app.tenant_id = '{tenant_id}'".encode()


def connection_arguments(name: str) -> dict[str, Any]:
    """What every connection of ours is opened with."""
    return {
        "row_factory": dict_row,
        "options": SESSION_OPTIONS,
        "application_name": name,
        "connect_timeout": 5,
        "prepare_threshold": None,  # prepared statements do not survive the transaction mode of an older PgBouncer
    }
