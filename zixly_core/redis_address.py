"""Clients of Redis or Valkey by the address in a setting."""

from __future__ import annotations

from redis import Redis
from redis.retry import Retry

from zixly_core.errors import SettingsError


def redis_at(url: str, *, setting: str, retry: Retry, connect_seconds: float, answer_seconds: float, is_text: bool = False) -> Redis:
    """Connects on first use. `valkey://` means the same as `redis://`; options as redis-py's `from_url` reads them. Raises
    `SettingsError`, without the library's own words: they may quote the password, where that is what spoils the address."""
    try:
        return Redis.from_url(
            url.replace("valkey", "redis", 1) if url.startswith("valkey") else url,
            protocol=2,  # the shapes of replies differ with RESP3
            decode_responses=is_text,
            socket_connect_timeout=connect_seconds,
            socket_timeout=answer_seconds,
            retry=retry,
        )
    except (ValueError, TypeError):
        text = f"{setting} cannot be used as an address of Redis: rediss://:PASSWORD@HOST:6379/0 is its form, the password URL-encoded"
        raise SettingsError(text) from None
