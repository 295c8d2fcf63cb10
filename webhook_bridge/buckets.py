"""How many rejected requests are kept: enough to look into a mistake and mend it, never enough to fill the disk, and whoever floods
us uses up his own share first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from time import monotonic

# Bits of an address that one sender is taken to have: a small network of IPv4, a customer's of IPv6.
NETWORK_BITS = {4: 24, 6: 56}
MAX_SOURCES = 1_000  # the least recently heard ones are forgotten; the system's own allowance bounds them all the same


@dataclass(frozen=True)
class Allowance:
    """What is kept at once, and how much more as time goes by."""

    requests: float
    requests_per_second: float
    size_bytes: float
    bytes_per_second: float


# A burst is kept whole, so that a sender's wrong secret can be mended and its deliveries verified again.
SOURCE = Allowance(requests=200, requests_per_second=2, size_bytes=20_000_000, bytes_per_second=5_000)
# Five such sources at once; 20 kB/s are 1.7 GB a day, the most that all floods together can store of one system.
SYSTEM = Allowance(requests=1_000, requests_per_second=10, size_bytes=100_000_000, bytes_per_second=20_000)


class TokenBucket:
    """Holds up to `size` tokens and gains `per_second`."""

    def __init__(self, *, size: float, per_second: float, clock: Callable[[], float] = monotonic) -> None:
        self._size = size
        self._per_second = per_second
        self._clock = clock
        self._left = size
        self._at = clock()

    def has(self, tokens: float) -> bool:
        """Whether so many are there now."""
        now = self._clock()
        self._left = min(self._size, self._left + (now - self._at) * self._per_second)
        self._at = now
        return self._left >= tokens

    def take(self, tokens: float) -> None:
        self._left -= tokens


class Budget:
    """How many requests, and how many bytes of them, may still be kept."""

    def __init__(self, allowance: Allowance, *, clock: Callable[[], float]) -> None:
        self._requests = TokenBucket(size=allowance.requests, per_second=allowance.requests_per_second, clock=clock)
        self._volume = TokenBucket(size=allowance.size_bytes, per_second=allowance.bytes_per_second, clock=clock)

    def allows(self, size_bytes: int) -> bool:
        return self._requests.has(1) and self._volume.has(size_bytes)

    def take(self, size_bytes: int) -> None:
        self._requests.take(1)
        self._volume.take(size_bytes)


class KeptRejections:
    """Decides whether one more rejected request is kept: when its source and its system both have room."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._systems: dict[str, Budget] = {}
        self._sources: OrderedDict[tuple[str, str, str], Budget] = OrderedDict()

    def may_keep(self, system: str, *, path: str, client: str, size_bytes: int) -> bool:
        """Whether this one is kept; counts it when it is. A source is a client's network on one path of one system."""
        budgets = (self._system(system), self._source((system, path, network_of(client))))
        if not all(budget.allows(size_bytes) for budget in budgets):
            return False
        for budget in budgets:
            budget.take(size_bytes)
        return True

    def _system(self, name: str) -> Budget:
        if name not in self._systems:
            self._systems[name] = Budget(SYSTEM, clock=self._clock)
        return self._systems[name]

    def _source(self, key: tuple[str, str, str]) -> Budget:
        if key not in self._sources:
            self._sources[key] = Budget(SOURCE, clock=self._clock)
        self._sources.move_to_end(key)
        if len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        return self._sources[key]


def network_of(client: str) -> str:
    """The network that a client's address stands for; what is no address stands for itself."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network((mapped, NETWORK_BITS[mapped.version]), strict=False))
