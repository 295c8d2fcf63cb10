"""The limiter in front of the API. It must never be the reason that the API is down: while the shared store is away, each process
counts by itself, says so once a minute, and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module

import structlog

from zixly_core.errors import SettingsError, Transient
from zixly_core.rates.memory import MemoryRates
from zixly_core.rates.rate import Rate, RateStore, Taken
from zixly_core.setting_addresses import parts_of
from zixly_core.settings import Settings

# Seconds. A store that did not answer is left alone so long, so that not every request waits for it.
REST = 1.0
TELL_EVERY = 60.0
REDIS = frozenset({"redis", "rediss", "valkey", "valkeys"})

log = structlog.get_logger(__name__)


def nobody(_rate: Rate) -> None:
    """The default of a listener."""


class RateLimiter:
    """Rates over a store, with the process's own memory in reserve. Safe to share between threads."""

    def __init__(
        self, store: RateStore, *, on_unavailable: Callable[[Rate], object] = nobody, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`on_unavailable` is told of each request that could not be counted together with those of other processes."""
        self._store = store
        self._spare = MemoryRates(clock=clock)
        self._on_unavailable = on_unavailable
        self._clock = clock
        self._rests_until = self._silent_until = float("-inf")

    def take(self, rate: Rate, subject: str) -> Taken:
        """Count one request of `subject`. Raises nothing."""
        now = self._clock()
        if now >= self._rests_until:
            try:
                return self._store.take(rate, subject)
            except Transient as error:
                self._rests_until = now + REST
                self._tell(now, reason=error.reason)
        self._on_unavailable(rate)
        return self._spare.take(rate, subject)

    def _tell(self, now: float, *, reason: str) -> None:
        if now < self._silent_until:
            return
        self._silent_until = now + TELL_EVERY
        log.warning("rate_limiter_unavailable", reason=reason, meanwhile="each process counts by itself")


def rate_store(settings: Settings) -> RateStore:
    """Where rates are counted: ZIXLY_LIMITS_URL, else the queue's Redis, else this process's memory. Raises `SettingsError`."""
    chosen = settings.limits_url or settings.queue_url
    url = chosen.get_secret_value()
    if parts_of(url, setting="ZIXLY_LIMITS_URL").scheme in REDIS:
        store: RateStore = import_module("zixly_core.rates.redis_windows").open_from_url(url)
        return store
    if settings.limits_url is not None and url != "memory://":
        raise SettingsError("ZIXLY_LIMITS_URL is wrong: redis://, rediss:// or memory:// is needed")
    return MemoryRates()
