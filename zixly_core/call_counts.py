"""How often each endpoint of each vendor was called and how long that took: added up in the process, written down now and then.

Run workers have no metrics endpoint that outlives them, so the counts go to the rows that only grow (stores/call_counts.py).
"""

from __future__ import annotations

import re
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from uuid import UUID

import httpx2

from zixly_core.metrics import API_LATENCY
from zixly_core.token_store import Connection

# How long counts stay in the process at most while it calls; the end of a run writes them too.
FLUSH_SECONDS = 5.0
# More endpoints than all clients have; what a mistake made of a path does not become a label without end.
MOST_ENDPOINTS = 200
OTHER = "other"

WORD = re.compile(r"[A-Za-z][A-Za-z_.\-]*")
VERSION = re.compile(r"v\d+|\d{4}-\d{2}")
GRAPHQL_NAME = re.compile(rb"\b(?:query|mutation)\s+([A-Za-z]\w{0,60})")


def endpoint_of(request: httpx2.Request, *, base_url: str) -> str:
    """The operation that a request is: method and path with ids left out (`GET /Invoices/{id}`), for GraphQL the operation's name."""
    path = request.url.path.removeprefix(urlsplit(base_url).path)
    if path.endswith("/graphql.json"):
        named = GRAPHQL_NAME.search(request.content)
        return f"graphql {named.group(1).decode()}" if named else "graphql"
    parts = [part for part in path.split("/") if part and not VERSION.fullmatch(part)]
    return f"{request.method} /" + "/".join(part if WORD.fullmatch(part) else "{id}" for part in parts)


@dataclass(frozen=True)
class Counted:
    """Calls of one endpoint: how many by status, their seconds, and how many took up to each bound of the histogram, and longer."""

    statuses: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    buckets: Sequence[int] = ()


Keep = Callable[[UUID, Mapping[str, Counted]], None]
"""Writes counts down, by `system endpoint`, on behalf of a tenant."""


class CallCounts:
    """The counts of this process. Safe to share between threads."""

    def __init__(self, keep: Keep, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`keep` never raises for a store that is away: then it gives up these counts, which are of no promise."""
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, Counted] = {}
        self._kept_at = clock()

    def add(self, connection: Connection, *, endpoint: str, status: str, seconds: float) -> None:
        """Count one call, and write everything down when it is time."""
        name = f"{connection.system} {endpoint}"
        with self._lock:
            if name not in self._counts and len(self._counts) >= MOST_ENDPOINTS:
                name = f"{connection.system} {OTHER}"
            self._counts[name] = with_call(self._counts.get(name, Counted()), status=status, seconds=seconds)
            is_time = self._clock() - self._kept_at >= FLUSH_SECONDS
        if is_time:
            self.flush(connection.tenant_id)

    def flush(self, tenant_id: UUID) -> None:
        """Write down what was counted since the last time."""
        with self._lock:
            counts, self._counts = self._counts, {}
            self._kept_at = self._clock()
        if counts:
            self._keep(tenant_id, counts)


def with_call(counted: Counted, *, status: str, seconds: float) -> Counted:
    buckets = list(counted.buckets or [0] * (len(API_LATENCY.buckets) + 1))
    buckets[bisect_left(API_LATENCY.buckets, seconds)] += 1
    statuses = {**counted.statuses, status: counted.statuses.get(status, 0) + 1}
    return Counted(statuses, counted.seconds + seconds, buckets)
