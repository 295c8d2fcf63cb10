"""One pooled engine for each process and database, for all of Dagster's three storages. Made on first use, never inherited.

Stock dagster-postgres opens a connection for every query. A connection costs about 5 ms, a five-op run makes about 50 queries.
"""

from __future__ import annotations

import os
import threading
import time

import psycopg2
import sqlalchemy
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# Dagster's own database holds what can be told again; its commits need not wait for the disk. Ours do.
OPTIONS = "-c synchronous_commit=off -c application_name=dagster"
# Kept open by a process, if it ever had so many threads querying at one moment; see storage.py for the sum.
POOL_SIZE = 4
# Threads of the webserver, the code server and the daemon that may query at one moment.
MAX_OVERFLOW = 20
RECYCLE_SECONDS = 600
# A connection that has not been used for so long is tried before it is given out.
RESTED_SECONDS = 1.0

_engines: dict[tuple[int, str, int | None], Engine] = {}
_lock = threading.Lock()


def shared_engine(url: str, *, statement_timeout_ms: int | None = None) -> Engine:
    """The engine of this process for the URL. A statement timeout is for processes that serve people."""
    key = (os.getpid(), url, statement_timeout_ms)
    engine = _engines.get(key)
    if engine is None:
        with _lock:
            engine = _engines.get(key) or _engines.setdefault(key, new_engine(url, statement_timeout_ms=statement_timeout_ms))
    return engine


def new_engine(url: str, *, statement_timeout_ms: int | None) -> Engine:
    parsed = make_url(url)
    given = str(parsed.query.get("options", ""))
    timeout = f" -c statement_timeout={statement_timeout_ms}" if statement_timeout_ms else ""
    engine = sqlalchemy.create_engine(
        parsed.difference_update_query(["options"]),
        isolation_level="AUTOCOMMIT",
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_recycle=RECYCLE_SECONDS,
        connect_args={"options": f"{given} {OPTIONS}{timeout}".strip(), "connect_timeout": 5},
    )
    event.listen(engine, "checkin", note_use)
    event.listen(engine, "checkout", ping_when_rested)
    return engine


def note_use(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def ping_when_rested(connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Like `pool_pre_ping`, but not for a connection that has just been used: every second statement of a run was a ping. The pool
    takes another connection when this one is dead."""
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < RESTED_SECONDS:
        return
    cursor = connection.cursor()
    try:
        cursor.execute("select 1")
    except psycopg2.Error as error:
        raise DisconnectionError("the server has closed the connection") from error
    finally:
        cursor.close()


def _forget_after_fork() -> None:
    """The parent's connections are the parent's: the child drops them without closing, and gets a lock of its own."""
    global _lock  # noqa: PLW0603 - the parent's may be held by a thread that does not exist here
    _lock = threading.Lock()
    for engine in _engines.values():
        engine.dispose(close=False)
    _engines.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
