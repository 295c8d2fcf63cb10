"""The queue on Redis Streams (Redis 6.2 or newer, Valkey): stream `zixly:{name}`, dead letters in `zixly:{name}:dead`.

One consumer group with one consumer, whoever reads: the group's list of pending entries is what hides a taken message, and
with a consumer for each process dead processes would leave theirs behind for ever.
Pages: valkey.io/commands/xreadgroup, /xpending, /xclaim.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.retry import Retry

from zixly_core.queue import Depth, Message, Queue
from zixly_core.queues.bodies import bodies_of, job_ids_in
from zixly_core.queues.giving_up import worth_handing_out
from zixly_core.queues.redis_errors import error_word, is_group_missing, translated
from zixly_core.redis_address import redis_at

GROUP = "dispatch"
CONSUMER = "dispatcher"
MAX_WAIT_SECONDS = 5.0
# One blocking read. Short, so that the socket's timeout (a server that is frozen) can be short too, and so that messages
# that come back during a long wait are seen.
BLOCK_SECONDS = 0.5
SOCKET_TIMEOUT_SECONDS = 1.5
CONNECT_TIMEOUT_SECONDS = 1.0
# Bounds for a stream that nobody reads; what falls out is found again in Postgres.
MAX_WAITING = 100_000
MAX_DEAD = 10_000

# Only the one who still holds the message may turn it into a dead letter, so doing it twice keeps one.
DEAD_LETTER_LUA = """
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'ids', ARGV[4], 'reason', ARGV[5], 'takes', ARGV[6], 'at', ARGV[7])
return redis.call('XDEL', KEYS[1], ARGV[2])
"""

T = TypeVar("T")


class RedisStreamsQueue:
    """`Queue` on a stream. Safe to share between threads; goes on by itself when the server was away or came back empty."""

    def __init__(self, client: Redis, *, name: str, visibility: timedelta, max_takes: int) -> None:
        self._client = client
        self._name = name
        self._visibility_ms = int(visibility.total_seconds() * 1000)
        self._max_takes = max_takes
        self._stream = f"zixly:{name}"
        self._dead = f"zixly:{name}:dead"

    def __repr__(self) -> str:
        return f"RedisStreamsQueue(name={self._name!r})"

    def send(self, job_ids: Sequence[UUID]) -> None:
        with translated(self._name, "send"), self._client.pipeline(transaction=False) as pipeline:
            for body in bodies_of(job_ids):
                pipeline.xadd(self._stream, {"ids": body}, maxlen=MAX_WAITING, approximate=True)
            pipeline.execute()

    def take(self, *, limit: int, wait: timedelta) -> list[Message]:
        end = time.monotonic() + min(wait.total_seconds(), MAX_WAIT_SECONDS)
        while True:
            left = max(end - time.monotonic(), 0)
            with translated(self._name, "take"):
                taken = self._taken(limit, block_seconds=min(left, BLOCK_SECONDS))
            messages = worth_handing_out(self, taken, name=self._name, max_takes=self._max_takes)
            if messages or time.monotonic() >= end:
                return messages

    def settle(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        receipts = [message.receipt for message in messages]
        with translated(self._name, "settle"), self._client.pipeline(transaction=True) as pipeline:
            pipeline.xack(self._stream, GROUP, *receipts)
            pipeline.xdel(self._stream, *receipts)
            pipeline.execute()

    def dead_letter(self, messages: Sequence[Message], *, reason: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with translated(self._name, "dead_letter"), self._client.pipeline(transaction=False) as pipeline:
            for message in messages:
                ids = ",".join(str(job_id) for job_id in message.job_ids)
                values = (GROUP, message.receipt, str(MAX_DEAD), ids, reason, str(message.takes), at)
                pipeline.eval(DEAD_LETTER_LUA, 2, self._stream, self._dead, *values)
            pipeline.execute()

    def depth(self) -> Depth:
        with translated(self._name, "depth"):
            return self._with_group(self._depth)

    def close(self) -> None:
        self._client.close()

    def _taken(self, limit: int, *, block_seconds: float) -> list[Message]:
        """What came back, then what is new; waits for the new only when nothing came back."""
        returned = self._with_group(lambda: self._returned(limit))
        if len(returned) == limit:
            return returned
        block_ms = None if returned or not block_seconds else max(int(block_seconds * 1000), 1)
        return returned + self._with_group(lambda: self._new(limit - len(returned), block_ms=block_ms))

    def _returned(self, limit: int) -> list[Message]:
        """Messages whose taker let the visibility time pass. XCLAIM asks again for the idle time, so one taker of two gets each."""
        pending: Any = self._client.xpending_range(self._stream, GROUP, min="-", max="+", count=limit, idle=self._visibility_ms)
        if not pending:
            return []
        takes = {row["message_id"]: row["times_delivered"] + 1 for row in pending}
        claimed: Any = self._client.xclaim(self._stream, GROUP, CONSUMER, min_idle_time=self._visibility_ms, message_ids=list(takes))
        return [message_of(entry_id, fields, takes=takes[entry_id]) for entry_id, fields in claimed if entry_id is not None]

    def _new(self, limit: int, *, block_ms: int | None) -> list[Message]:
        reply: Any = self._client.xreadgroup(GROUP, CONSUMER, {self._stream: ">"}, count=limit, block=block_ms)
        return [message_of(entry_id, fields, takes=1) for _, entries in reply or () for entry_id, fields in entries]

    def _depth(self) -> Depth:
        with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xlen(self._stream)
            pipeline.xpending(self._stream, GROUP)
            pipeline.xlen(self._dead)
            pipeline.xrange(self._stream, count=1)
            pipeline.time()
            length, pending, dead, first, (seconds, micros) = pipeline.execute()
        taken: int = pending["pending"]
        sent = int(first[0][0].partition("-")[0]) / 1000 if first else None  # an entry's id begins with its moment
        oldest = 0.0 if sent is None else max(seconds + micros / 1e6 - sent, 0.0)
        return Depth(waiting=max(length - taken, 0), taken=taken, dead=dead, oldest_seconds=oldest)

    def _with_group(self, call: Callable[[], T]) -> T:
        """Call; when the group is missing (first use, a server that came back empty, a flush while we waited), make it and call again."""
        try:
            return call()
        except ResponseError as error:
            if not is_group_missing(error):
                raise
        self._make_group()
        return call()

    def _make_group(self) -> None:
        """From the stream's beginning, so that what was sent before the group existed is handed out too."""
        try:
            self._client.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if error_word(error) != "BUSYGROUP":
                raise


def message_of(entry_id: str, fields: dict[str, str] | None, *, takes: int) -> Message:
    return Message(job_ids=job_ids_in((fields or {}).get("ids", "")), receipt=entry_id, takes=takes)


def open_from_url(url: str, *, name: str, visibility: timedelta, max_takes: int) -> Queue:
    """`redis://`, `rediss://` (TLS), or the same with `valkey` in place of `redis`. Raises `SettingsError`."""
    client = redis_at(
        url,
        setting="ZIXLY_QUEUE_URL",
        connect_seconds=CONNECT_TIMEOUT_SECONDS,
        answer_seconds=SOCKET_TIMEOUT_SECONDS,
        is_text=True,
        # Once more on a connection that the server had closed; a timeout is not repeated, since it would take as long again.
        retry=Retry(NoBackoff(), retries=1, supported_errors=(RedisConnectionError,)),
    )
    return RedisStreamsQueue(client, name=name, visibility=visibility, max_takes=max_takes)
