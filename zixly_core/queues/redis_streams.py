"""The queue on Redis or Valkey Streams: one stream and one consumer group for each system.

What is taken and not settled is claimed again after the visibility time (XAUTOCLAIM). The server may come back empty at any
moment: the group is made again on the way, and what was lost is found in the rows.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from zixly_core.errors import QueueUnavailable
from zixly_core.queue import Depth, Message

T = TypeVar("T")

VISIBILITY = timedelta(seconds=30)
MAX_TAKES = 10
LONGEST_WAIT = timedelta(seconds=5)
GROUP = "dispatch"
IDS = b"ids"
# Far above any burst: an upper bound for a stream that nobody reads.
MAX_LENGTH = 1_000_000
MAX_DEAD = 100_000
SOCKET_SECONDS = 1.0


class RedisQueue:
    """`Queue` over redis-py. Safe to share between threads."""

    def __init__(self, client: redis.Redis, *, name: str, visibility: timedelta = VISIBILITY, max_takes: int = MAX_TAKES) -> None:
        self._client = client
        self._stream = f"zixly:{name}"
        self._dead = f"zixly:{name}:dead"
        self._consumer = f"{socket.gethostname()}-{os.getpid()}"
        self._visibility_ms = int(visibility.total_seconds() * 1000)
        self._max_takes = max_takes

    @classmethod
    def from_url(cls, url: str, *, name: str, visibility: timedelta = VISIBILITY, max_takes: int = MAX_TAKES) -> RedisQueue:
        """A queue with a connection pool of its own. The long poll must fit into the socket's timeout."""
        client = redis.Redis.from_url(
            url.replace("valkey", "redis", 1) if url.startswith("valkey") else url,
            protocol=2,
            socket_connect_timeout=SOCKET_SECONDS,
            socket_timeout=LONGEST_WAIT.total_seconds() + SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 1),
            health_check_interval=15,
        )
        return cls(client, name=name, visibility=visibility, max_takes=max_takes)

    def send(self, job_ids: Sequence[UUID]) -> None:
        if not job_ids:
            return
        with self._translated("send"):
            self._client.xadd(self._stream, {IDS: packed(job_ids)}, maxlen=MAX_LENGTH, approximate=True)

    def take(self, *, limit: int, wait: timedelta) -> list[Message]:
        with self._translated("take"):
            messages = self._with_group(lambda: self._claimed_again(limit))
            if len(messages) < limit:
                block = None if messages else block_milliseconds(wait)
                messages += self._with_group(lambda: self._new(limit - len(messages), block))
            return messages

    def settle(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        receipts = [message.receipt for message in messages]
        with self._translated("settle"), self._client.pipeline(transaction=False) as pipeline:
            pipeline.xack(self._stream, GROUP, *receipts)
            pipeline.xdel(self._stream, *receipts)
            pipeline.execute()

    def dead_letter(self, messages: Sequence[Message], *, reason: str) -> None:
        if not messages:
            return
        with self._translated("dead-letter"), self._client.pipeline(transaction=True) as pipeline:
            for message in messages:
                fields: dict[Any, Any] = {IDS: packed(message.job_ids), b"reason": reason.encode(), b"takes": str(message.takes).encode()}
                pipeline.xadd(self._dead, fields, maxlen=MAX_DEAD, approximate=True)
                pipeline.xack(self._stream, GROUP, message.receipt)
                pipeline.xdel(self._stream, message.receipt)
            pipeline.execute()

    def depth(self) -> Depth:
        with self._translated("depth"):
            length: int = self._client.xlen(self._stream)
            pending = self._with_group(lambda: self._client.xpending(self._stream, GROUP))
            taken = int(pending["pending"])
            return Depth(waiting=max(length - taken, 0), taken=taken, dead=self._client.xlen(self._dead))

    def close(self) -> None:
        self._client.close()

    def _new(self, limit: int, block: int | None) -> list[Message]:
        answer: Any = self._client.xreadgroup(GROUP, self._consumer, {self._stream: ">"}, count=limit, block=block)
        return [Message(unpacked(fields), entry_id.decode(), takes=1) for _, entries in answer or () for entry_id, fields in entries]

    def _claimed_again(self, limit: int) -> list[Message]:
        """What somebody took and did not settle in time; what was taken too often becomes a dead letter."""
        answer: Any = self._client.xautoclaim(self._stream, GROUP, self._consumer, self._visibility_ms, count=limit)
        entries = [(entry_id, fields) for entry_id, fields in answer[1] if fields]
        if not entries:
            return []
        takes = self._takes_of([entry_id for entry_id, _ in entries])
        messages = [Message(unpacked(fields), entry_id.decode(), takes=takes.get(entry_id, 1)) for entry_id, fields in entries]
        self.dead_letter([one for one in messages if one.takes > self._max_takes], reason="taken too often")
        return [one for one in messages if one.takes <= self._max_takes]

    def _takes_of(self, entry_ids: Sequence[bytes]) -> Mapping[bytes, int]:
        rows: Any = self._client.xpending_range(self._stream, GROUP, min=entry_ids[0], max=entry_ids[-1], count=len(entry_ids) + 1_000)
        return {row["message_id"]: int(row["times_delivered"]) for row in rows}

    def _with_group(self, action: Callable[[], T]) -> T:
        """The action; when the server knows no group (new, flushed, come back empty), the group is made and the action done again."""
        try:
            return action()
        except ResponseError as error:
            if "NOGROUP" not in str(error) and "UNBLOCKED" not in str(error):
                raise
        self._make_group()
        return action()

    def _make_group(self) -> None:
        try:
            self._client.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            text = f"The queue {self._stream} could not be reached to {verb} ({type(error).__name__}); due jobs are found in the rows."
            raise QueueUnavailable(text) from error


def block_milliseconds(wait: timedelta) -> int | None:
    """How long XREADGROUP may wait. None is not at all: 0 would mean for ever."""
    milliseconds = int(min(wait, LONGEST_WAIT).total_seconds() * 1000)
    return milliseconds if milliseconds > 0 else None


def packed(job_ids: Sequence[UUID]) -> bytes:
    return b"".join(job_id.bytes for job_id in job_ids)


def unpacked(fields: Mapping[bytes, bytes]) -> tuple[UUID, ...]:
    data = fields.get(IDS, b"")
    return tuple(UUID(bytes=data[start : start + 16]) for start in range(0, len(data) - 15, 16))
