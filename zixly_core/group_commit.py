"""Shared commits: what arrives while one commit is under way goes into the next one together.

A commit costs a flush of the disk however many rows it holds, so under load the deliveries of many senders share one, and in
quiet times each has its own at once. Nobody is answered before the commit that holds his delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from zixly_core.errors import StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")
log = structlog.get_logger()


class GroupCommit(Generic[T, R]):
    """Collects items and hands them to `commit` in groups, one group at a time for each of `committers`.

    A failed group is committed again one item at a time, so that each item gets its own outcome.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[T]], Awaitable[list[R]]],
        *,
        max_group: int = 200,
        max_waiting: int = 2_000,
        committers: int = 1,
    ) -> None:
        self._commit = commit
        self._max_group = max_group
        self._waiting: asyncio.Queue[tuple[T, asyncio.Future[R]]] = asyncio.Queue(maxsize=max_waiting)
        self._committers = committers
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work(), name=f"group-commit-{n}") for n in range(self._committers)]

    async def stop(self) -> None:
        """Commit what waits, then end."""
        await self._waiting.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def submit(self, item: T) -> R:
        """The outcome of the item, after its commit. Raises `StoreUnavailable` when too many wait or the commit failed."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((item, future))
        except asyncio.QueueFull:
            raise StoreUnavailable(
                f"{self._waiting.maxsize} deliveries wait for Postgres already; send this one again in a few seconds.",
                reason="overloaded",
                retry_after=timedelta(seconds=5),
            ) from None
        return await future

    async def _work(self) -> None:
        while True:
            group = [await self._waiting.get()]
            while len(group) < self._max_group and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            try:
                await self._commit_group(group)
            finally:
                for _ in group:
                    self._waiting.task_done()

    async def _commit_group(self, group: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            outcomes = await self._commit([item for item, _ in group])
        except StoreUnavailable as error:
            for _, future in group:
                resolve(future, error)
        except Exception as error:  # one bad item must not fail the others, whatever was wrong with it
            if len(group) == 1:
                log.error("delivery_not_stored", error_type=type(error).__name__)  # noqa: TRY400 - a driver's text may quote data
                resolve(group[0][1], error)
                return
            log.warning("shared_commit_repeated_one_by_one", deliveries=len(group), error_type=type(error).__name__)
            for one in group:
                await self._commit_group([one])
        else:
            for (_, future), outcome in zip(group, outcomes, strict=True):
                resolve(future, outcome)


def resolve(future: asyncio.Future[R], outcome: R | Exception) -> None:
    """Give a waiting request its outcome, unless it hung up meanwhile."""
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
