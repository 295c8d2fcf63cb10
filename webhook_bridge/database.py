"""Postgres for the event loop: a pool as role `intake`, and which of the driver's errors mean that Postgres is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.rows import DictRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from zixly_core.errors import StoreUnavailable
from zixly_core.stores.database import Rested, connection_arguments

AsyncRows: TypeAlias = AsyncConnection[DictRow]

# Classes of SQLSTATE: connection lost, out of resources, shut down or cancelled, and a standby that refuses writes. None comes
# with the server gone. Other errors are about the rows, and go to the delivery that they belong to.
AWAY_CLASSES = frozenset({"08", "53", "57"})
POOL_TIMEOUT_SECONDS = 2.0
# Longer than the senders wait; whoever still holds a connection then is stuck.
STATEMENT_SECONDS = 10.0
# Statements are prepared where the code asks for it, and never because they were repeated: a plan that was made before a table had rows
# reads all of it later.
PREPARE_WHEN_ASKED = 1_000_000_000


class AsyncDatabase:
    """A database seen by one role, for coroutines. Opened by `open`, which does not wait for Postgres to be there."""

    def __init__(self, url: str, *, name: str, max_size: int) -> None:
        self._pool: AsyncConnectionPool[AsyncRows] = AsyncConnectionPool(
            url,
            min_size=0,
            max_size=max_size,
            timeout=POOL_TIMEOUT_SECONDS,
            max_idle=300,
            reconnect_timeout=0,
            check=self._check_rested,
            configure=prepare_where_direct,
            kwargs=connection_arguments(name) | {"autocommit": True},
            open=False,
        )
        self._name = name
        self._rested: Rested[AsyncRows] = Rested()

    def __repr__(self) -> str:
        return f"AsyncDatabase(name={self._name!r})"

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close(timeout=2)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncRows]:
        """A connection without a transaction. Raises `StoreUnavailable` when Postgres is away or stuck."""
        try:
            async with asyncio.timeout(STATEMENT_SECONDS), self._pool.connection() as connection:
                yield connection
                self._rested.note(connection)
        except (PoolTimeout, TimeoutError) as error:
            raise self._unavailable(error) from error
        except psycopg.Error as error:
            if not means_away(error):
                raise
            raise self._unavailable(error) from error

    async def _check_rested(self, connection: AsyncRows) -> None:
        if self._rested.has(connection):
            await AsyncConnectionPool.check_connection(connection)

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        return StoreUnavailable(f"Postgres could not be used as {self._name} ({type(error).__name__}); send this again in a few seconds.")


async def prepare_where_direct(connection: AsyncRows) -> None:
    """Let Postgres keep the plans of what says `prepare=True`: a third of its work for a small commit. Not behind a pooler, where the next
    transaction may have another server process: before PgBouncer 1.21 prepared statements do not survive that. A pooler is known by the
    process id that came with the connection, which is then not the server's."""
    row = await (await connection.execute("select pg_backend_pid() as server")).fetchone()
    if row is not None and row["server"] == connection.info.backend_pid:
        connection.prepare_threshold = PREPARE_WHEN_ASKED


def means_away(error: psycopg.Error) -> bool:
    """Whether an error says that Postgres cannot be used now, rather than that something is wrong with what was written."""
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return True
    if error.sqlstate is None:
        return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
    return error.sqlstate[:2] in AWAY_CLASSES
