"""Shared commits: one for what arrives together, and each item its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from zixly_core.errors import StoreUnavailable
from zixly_core.group_commit import GroupCommit


class Store:
    """Commits numbers; negative ones are bad rows."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.away = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def commit(self, items: Sequence[int]) -> list[str]:
        await self.gate.wait()
        if self.away:
            raise StoreUnavailable("Postgres is away")
        if any(item < 0 for item in items):
            raise ValueError("bad row")
        self.groups.append(list(items))
        return [f"row {item}" for item in items]


async def test_what_arrives_during_a_commit_shares_the_next_one() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store.commit)
    group.start()
    waiting = [asyncio.create_task(group.submit(number)) for number in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    late = [asyncio.create_task(group.submit(number)) for number in range(10, 20)]
    await asyncio.sleep(0)
    store.gate.set()
    assert await asyncio.gather(*waiting, *late) == [f"row {number}" for number in range(20)]
    assert len(store.groups) <= 3
    await group.stop()


async def test_a_bad_row_fails_alone() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store.commit)
    group.start()
    tasks = [asyncio.create_task(group.submit(number)) for number in (1, -1, 2)]
    await asyncio.sleep(0)
    store.gate.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[0] == "row 1"
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[2] == "row 2"
    await group.stop()


async def test_everybody_is_told_when_the_store_is_away() -> None:
    store = Store()
    store.away = True
    group = GroupCommit(store.commit)
    group.start()
    with pytest.raises(StoreUnavailable):
        await group.submit(1)
    await group.stop()


async def test_too_many_waiting_are_sent_away_with_a_time_to_come_back() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store.commit, max_waiting=3, max_group=1)
    group.start()
    tasks = [asyncio.create_task(group.submit(0))]
    await asyncio.sleep(0.01)  # the committer has it now
    tasks += [asyncio.create_task(group.submit(number)) for number in range(1, 4)]
    await asyncio.sleep(0.01)
    with pytest.raises(StoreUnavailable) as refused:
        await group.submit(99)
    assert refused.value.retry_after is not None
    store.gate.set()
    await asyncio.gather(*tasks)
    await group.stop()


async def test_a_sender_that_hung_up_does_not_disturb_the_others() -> None:
    store = Store()
    store.gate.clear()
    group = GroupCommit(store.commit)
    group.start()
    gone, stays = asyncio.create_task(group.submit(1)), asyncio.create_task(group.submit(2))
    await asyncio.sleep(0.01)
    gone.cancel()
    store.gate.set()
    assert await stays == "row 2"
    await group.stop()
