"""The broker that carries runs to the workers: whether it answers."""

from __future__ import annotations

from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from zixly_core.redis_address import redis_at

TIMEOUT_SECONDS = 1.0


def broker_answers(url: str) -> bool:
    """Whether the Redis or Valkey at the URL can be written to now; known within a second."""
    try:
        return bool(client_of(url).ping())
    except (RedisError, OSError):
        return False


@lru_cache(maxsize=4)
def client_of(url: str) -> redis.Redis:
    """Raises `SettingsError`."""
    return redis_at(
        url, setting="ZIXLY_BROKER_URL", connect_seconds=TIMEOUT_SECONDS, answer_seconds=TIMEOUT_SECONDS, retry=Retry(NoBackoff(), 1)
    )
