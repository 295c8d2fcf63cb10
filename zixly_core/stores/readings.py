"""What metrics read of Postgres, bounded in time: whoever scrapes does not wait, and a busy database is not kept busy by being watched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from zixly_core.stores.database import Database, Rows

TIMEOUT_SQL = "set local statement_timeout = '3s'"


@contextmanager
def reading(database: Database) -> Iterator[Rows]:
    """A transaction whose statements take 3 s each at most. Raises `StoreUnavailable`, also when one takes longer."""
    with database.transaction() as rows:
        rows.execute(TIMEOUT_SQL)
        yield rows
