"""The routing table in memory: read again every few seconds, and at once for an account or a path that it does not know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from uuid import UUID

import structlog

from webhook_bridge.database import AsyncDatabase, AsyncRows
from zixly_core.errors import StoreUnavailable, ZixlyError
from zixly_core.kept_requests import Box
from zixly_core.routing import ROUTES_SQL, SECRETS_SQL, SUBSCRIPTIONS_SQL, TENANTS_SQL, WORKFLOWS_SQL, Route, RoutingTable, routing_table

log = structlog.get_logger()
REFRESH_SECONDS = 3.0
# Strangers make us read at once; this bounds how often they can.
LEAST_SECONDS_BETWEEN = 0.5


class RoutingSnapshot:
    """Holds the latest table. `current` raises `StoreUnavailable` until the first one was read."""

    def __init__(self, database: AsyncDatabase, *, box: Box | None, clock: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._table: RoutingTable | None = None
        self._number = 0
        """The reading that the table is of; `_begun` were begun so far."""
        self._begun = 0
        self._secrets: Mapping[UUID, tuple[str, ...]] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def current(self) -> RoutingTable:
        if self._table is None:
            raise StoreUnavailable("The connections have not been read from Postgres yet; send this again in a few seconds.")
        return self._table

    def secrets_of(self, route: Route) -> tuple[str, ...]:
        """What the sender behind a route signs with, newest first; empty when nothing is set."""
        return self._secrets.get(route.secret_owner_id, ())

    async def start(self) -> None:
        """Read once, if Postgres is there, and keep reading."""
        await self._refresh_if_possible()
        self._task = asyncio.create_task(self._keep_fresh(), name="routing-snapshot")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def read_from_now_on(self) -> RoutingTable:
        """A table whose reading begins after the question: one that is just being read may not have what is new. Whoever asks right after
        one was read waits for half a second, together with all who do the same. Raises `StoreUnavailable`."""
        begun_before = self._begun
        async with self._lock:
            if self._number > begun_before:
                return self.current
            await asyncio.sleep(max(LEAST_SECONDS_BETWEEN - (self._clock() - self._read_at), 0))
            await self._read()
            return self.current

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS if self._table is not None else 0.5)
            await self._refresh_if_possible()

    async def _refresh_if_possible(self) -> None:
        try:
            async with self._lock:
                await self._read()
        except StoreUnavailable as error:
            log.warning("routing_not_read", reason=error.reason)
        except Exception:
            log.exception("routing_not_read")

    async def _read(self) -> None:
        self._begun += 1
        number = self._begun
        async with self._database.connection() as connection:
            table = await read_table(connection)
        if self._table is None or table.sealed_secrets != self._table.sealed_secrets:
            self._secrets = opened(table.sealed_secrets, box=self._box)
        self._table, self._number = table, number
        self._read_at = self._clock()


async def read_table(connection: AsyncRows) -> RoutingTable:
    """The routing table as it is now, in one consistent reading."""
    async with connection.transaction():
        queries = (ROUTES_SQL, WORKFLOWS_SQL, SECRETS_SQL, SUBSCRIPTIONS_SQL, TENANTS_SQL)
        rows = [await (await connection.execute(query)).fetchall() for query in queries]
    return routing_table(*rows)


def opened(sealed: Mapping[UUID, Sequence[bytes]], *, box: Box | None) -> dict[UUID, tuple[str, ...]]:
    """The signing secrets of each connection and path. One that cannot be opened is left out and named in the log."""
    secrets: dict[UUID, tuple[str, ...]] = {}
    for owner_id, ciphertexts in sealed.items():
        found: list[str] = []
        for ciphertext in ciphertexts:
            try:
                if box is not None:
                    found.append(box.open(ciphertext, context=str(owner_id)).decode())
            except (ZixlyError, UnicodeDecodeError):
                log.exception("signing_secret_unreadable", owner_id=str(owner_id))
        secrets[owner_id] = tuple(found)
    return secrets
