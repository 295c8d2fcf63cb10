"""One pooled engine for each process and database, for all of Dagster's three storages. Made on first use, never inherited.

Stock dagster-postgres opens a connection for every query. A connection costs about 5 ms, a five-op run makes about 50 queries.
"""

from __future__ import annotations

import os
import threading

import sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

# Dagster's own database holds what can be told again; its commits need not wait for the disk. Ours do.
OPTIONS = "-c synchronous_commit=off -c application_name=dagster"
# Kept open by a process, if it ever had so many threads querying at one moment; see storage.py for the sum.
POOL_SIZE = 4
# Threads of the webserver, the code server and the daemon that may query at one moment.
MAX_OVERFLOW = 20
RECYCLE_SECONDS = 600

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
    return sqlalchemy.create_engine(
        parsed.difference_update_query(["options"]),
        isolation_level="AUTOCOMMIT",
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_pre_ping=True,
        pool_recycle=RECYCLE_SECONDS,
        connect_args={"options": f"{given} {OPTIONS}{timeout}".strip(), "connect_timeout": 5},
    )


def _forget_after_fork() -> None:
    """The parent's connections are the parent's: the child drops them without closing, and gets a lock of its own."""
    global _lock  # noqa: PLW0603 - the parent's may be held by a thread that does not exist here
    _lock = threading.Lock()
    for engine in _engines.values():
        engine.dispose(close=False)
    _engines.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
