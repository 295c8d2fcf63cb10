"""The queue's back ends, chosen by the scheme of a URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from zixly_core.errors import SettingsError
from zixly_core.queue import Queue
from zixly_core.queues.memory import MemoryQueue
from zixly_core.queues.redis_streams import RedisQueue
from zixly_core.queues.sqs import SqsQueue

REDIS_SCHEMES = {"redis", "rediss", "valkey", "valkeys"}


def open_queue(url: str, *, name: str) -> Queue:
    """The queue of one system. `memory://` lives in this process only; `redis://` and `sqs://region/prefix` are shared."""
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        return MemoryQueue()
    if scheme in REDIS_SCHEMES:
        return RedisQueue.from_url(url, name=name)
    if scheme == "sqs":
        return SqsQueue.from_url(url, name=name)
    raise SettingsError(f"ZIXLY_QUEUE_URL begins with {scheme or 'nothing'}://; known are memory, redis, rediss, valkey and sqs.")
