"""Rates in Redis (6.2 or newer) or Valkey: for each subject a sorted set of the moments of its last requests.

One script reads the server's clock, drops what has left the window and adds the request if there is room, so that requests at many
processes are counted as if they had come to one. A set holds as many members as the limit at most, and goes with its window.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from zixly_core.errors import QueueUnavailable
from zixly_core.ids import new_id
from zixly_core.rates.rate import Rate, Taken
from zixly_core.redis_address import redis_at

# A request waits for this answer; a Redis that is slower is taken to be away.
TIMEOUT_SECONDS = 0.25
# Microseconds are whole numbers in Lua's floats until the year 2255; a text with an exponent would lose some.
TAKE_LUA = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local window, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - window))
local used, allowed = redis.call('ZCARD', KEYS[1]), 0
if used < limit then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
  redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
  used, allowed = used + 1, 1
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local reset = window
if oldest[2] then reset = tonumber(oldest[2]) + window - now end
return {allowed, used, reset}
"""


class RedisRates:
    """`RateStore` in Redis. Safe to share between threads."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._script = client.register_script(TAKE_LUA)

    def take(self, rate: Rate, subject: str) -> Taken:
        microseconds = int(rate.window / timedelta(microseconds=1))
        try:
            answer: Any = self._script(keys=[key_of(rate, subject)], args=[microseconds, rate.limit, new_id().hex])
        except (RedisError, OSError) as error:
            raise QueueUnavailable(f"The rates cannot be counted ({type(error).__name__}).", reason="rates_unavailable") from error
        is_allowed, used, reset = (int(part) for part in answer)
        return Taken(rate, bool(is_allowed), used=used, reset=timedelta(microseconds=reset))

    def close(self) -> None:
        self._client.close()


def key_of(rate: Rate, subject: str) -> str:
    """Addresses and names of people are not kept: a digest is enough to count by."""
    return f"zixly:rate:{rate.name}:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"


def open_from_url(url: str) -> RedisRates:
    """Connects on first use. Raises `SettingsError`."""
    client = redis_at(
        url,
        setting="ZIXLY_LIMITS_URL",
        connect_seconds=TIMEOUT_SECONDS,
        answer_seconds=TIMEOUT_SECONDS,
        # Once more on a connection that the server had closed; a timeout is not repeated, since somebody waits.
        retry=Retry(NoBackoff(), retries=1, supported_errors=(RedisConnectionError,)),
    )
    return RedisRates(client)
