from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from zixly_core.errors import StoreUnavailable
from zixly_core.group_commit import GroupCommit


class Recorder:
    """Commits numbers; negative ones cannot be stored, and `is_away` means that nothing can."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.is_away = False

    async def commit(self, items: Sequence[int]) -> list[int]:
        await asyncio.sleep(0.005)
        self.groups.append(list(items))
        if self.is_away:
            raise StoreUnavailable("away")
        if any(item < 0 for item in items):
            raise ValueError("a bad row")
        return [item * 10 for item in items]


async def test_what_arrives_during_a_commit_shares_the_next_one() -> None:
    recorder = Recorder()
    commits: GroupCommit[int, int] = GroupCommit(recorder.commit)
    commits.start()
    first = asyncio.create_task(commits.submit(1))
    await asyncio.sleep(0.001)
    rest = [asyncio.create_task(commits.submit(n)) for n in (2, 3, 4)]
    assert await asyncio.gather(first, *rest) == [10, 20, 30, 40]
    assert recorder.groups == [[1], [2, 3, 4]]
    await commits.stop()


async def test_a_bad_item_fails_alone() -> None:
    recorder = Recorder()
    commits: GroupCommit[int, int] = GroupCommit(recorder.commit)
    waiting = [asyncio.create_task(commits.submit(n)) for n in (1, -2, 3)]
    await asyncio.sleep(0)
    commits.start()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert (outcomes[0], outcomes[2]) == (10, 30)
    assert isinstance(outcomes[1], ValueError)
    await commits.stop()


async def test_a_store_that_is_away_is_asked_once_and_everybody_is_told() -> None:
    recorder = Recorder()
    recorder.is_away = True
    commits: GroupCommit[int, int] = GroupCommit(recorder.commit)
    waiting = [asyncio.create_task(commits.submit(n)) for n in (1, 2)]
    await asyncio.sleep(0)
    commits.start()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in outcomes] == [StoreUnavailable, StoreUnavailable]
    assert recorder.groups == [[1, 2]]
    await commits.stop()


async def test_too_many_that_wait_are_told_to_come_back() -> None:
    commits: GroupCommit[int, int] = GroupCommit(Recorder().commit, max_waiting=2)
    waiting = [asyncio.create_task(commits.submit(n)) for n in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable) as refused:
        await commits.submit(3)
    assert refused.value.reason == "overloaded"
    assert refused.value.retry_after is not None
    commits.start()
    await asyncio.gather(*waiting)
    await commits.stop()


async def test_a_sender_that_hangs_up_does_not_disturb_the_others() -> None:
    recorder = Recorder()
    commits: GroupCommit[int, int] = GroupCommit(recorder.commit)
    gone, stays = (asyncio.create_task(commits.submit(n)) for n in (1, 2))
    await asyncio.sleep(0)
    commits.start()
    await asyncio.sleep(0.001)
    gone.cancel()
    assert await stays == 20
    assert recorder.groups == [[1, 2]]
    await commits.stop()


async def test_stopping_commits_what_waits_first() -> None:
    recorder = Recorder()
    commits: GroupCommit[int, int] = GroupCommit(recorder.commit)
    waiting = [asyncio.create_task(commits.submit(n)) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    commits.start()
    await commits.stop()
    assert await asyncio.gather(*waiting) == [10, 20, 30]
