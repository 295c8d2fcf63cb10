"""What metrics read of Postgres, bounded in time: whoever scrapes does not wait, and a busy database is not kept busy by being watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from zixly_core.stores.database import Database, Rows

T = TypeVar("T")

# Each statement finds a few rows through an index. Of a table with a million Postgres expects more, and would start helping processes
# and compile the statement, either of which takes many times what the reading does. In one way there and back.
BOUNDS_SQL = """
set local statement_timeout = '3s';
set local max_parallel_workers_per_gather = 0;
set local jit = off"""


@contextmanager
def reading(database: Database) -> Iterator[Rows]:
    """A transaction whose statements take 3 s each at most. Raises `StoreUnavailable`, also when one takes longer."""
    with database.transaction() as rows:
        rows.execute(BOUNDS_SQL)
        yield rows


def read(database: Database, counts: Callable[[Rows], T]) -> T:
    """One reading by itself. Raises `StoreUnavailable`."""
    with reading(database) as rows:
        return counts(rows)
