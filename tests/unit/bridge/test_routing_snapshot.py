"""The routing table in memory: what is new a moment ago is in the table that is read for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from webhook_bridge import routing_snapshot
from webhook_bridge.routing_snapshot import RoutingSnapshot
from zixly_core.routing import RoutingTable

TENANT = UUID(int=1)


class Store:
    """A reading finds what there is when it begins (`known`), and ends when it may."""

    def __init__(self) -> None:
        self.known = self.readings = 0
        self.begins, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[None]:
        yield

    async def read(self, _connection: Any) -> RoutingTable:
        found = RoutingTable(tenant_priorities={TENANT: self.known})
        self.readings += 1
        self.begins.set()
        await self.may_end.wait()
        return found


@pytest.fixture
async def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(routing_snapshot, "read_table", made.read)
    monkeypatch.setattr(routing_snapshot, "LEAST_SECONDS_BETWEEN", 0.0)
    return made


def known_by(table: RoutingTable) -> int:
    return table.tenant_priorities[TENANT]


async def test_what_became_known_while_a_table_was_being_read_is_in_the_one_that_is_asked_for_then(store: Store) -> None:
    """The table that was being read was given to whoever asked meanwhile, and his account was not in it."""
    snapshot = RoutingSnapshot(store, box=None)  # type: ignore[arg-type]
    store.may_end.clear()
    earlier = asyncio.create_task(snapshot.read_from_now_on())
    await store.begins.wait()
    store.known = 7
    later = asyncio.create_task(snapshot.read_from_now_on())
    await asyncio.sleep(0)
    store.may_end.set()
    assert (known_by(await earlier), known_by(await later)) == (0, 7)
    assert known_by(snapshot.current) == 7


async def test_all_who_ask_before_a_reading_begins_share_it(store: Store) -> None:
    snapshot = RoutingSnapshot(store, box=None)  # type: ignore[arg-type]
    store.may_end.clear()
    first = asyncio.create_task(snapshot.read_from_now_on())
    await store.begins.wait()
    others = [asyncio.create_task(snapshot.read_from_now_on()) for _ in range(20)]
    await asyncio.sleep(0)
    store.may_end.set()
    await asyncio.gather(first, *others)
    assert store.readings == 2
