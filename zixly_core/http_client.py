"""The HTTP client that all vendor calls share: one pool of connections for each process, explicit timeouts, quick retries.

A client must be made after a fork: two processes on one TLS connection would read each other's answers. `ProcessClient` sees
to it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy

import httpx2

from zixly_core.guarded_transport import GuardedTransport
from zixly_core.outgoing import INSIDE, Outgoing, place_of, to_the_public, to_vendors
from zixly_core.settings import Settings
from zixly_core.traced_transport import TracedTransport

USER_AGENT = "zixly/0.1"

# Seconds. Below the 60 s after which Postgres ends an idle transaction: a token is renewed inside one (see tokens.py).
TIMEOUTS = httpx2.Timeout(connect=5, read=30, write=10, pool=10)
LIMITS = httpx2.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=20)

# Seconds before the second and third try of a read whose connection failed. Longer waits are for the job, not for the worker.
RETRY_PAUSES = (0.1, 0.4)


def new_client(outgoing: Outgoing, *, transport: httpx2.BaseTransport | None = None) -> httpx2.Client:
    """A client over HTTP/1.1 with keep-alive, which calls what the policy lets through. It follows no redirect (a token must not travel
    to another host) and keeps no cookie (tenants share it). `transport` stands in for the network."""
    guarded = transport or GuardedTransport(outgoing, limits=LIMITS)
    traced = TracedTransport(guarded, tells_trace=outgoing.tells_trace)
    client = httpx2.Client(timeout=TIMEOUTS, headers={"User-Agent": USER_AGENT}, transport=traced)
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


def answers(url: str) -> bool:
    """Whether an address of our own answers with a success, as somebody outside would find it."""
    with new_client(Outgoing((place_of(url, reaches=INSIDE),))) as client:
        try:
            return client.get(url, timeout=5).is_success
        except httpx2.HTTPError:
            return False


class ProcessClient:
    """The client of this process, made on first use and made anew in a child after a fork. Safe to share between threads."""

    def __init__(self, factory: Callable[[], httpx2.Client]) -> None:
        self._factory = factory
        self._client: httpx2.Client | None = None
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forget)

    @classmethod
    def to_vendors(cls, settings: Settings) -> ProcessClient:
        """For calls to the hosts that the settings name."""
        return cls(lambda: new_client(to_vendors(settings)))

    @classmethod
    def to_the_public(cls, settings: Settings) -> ProcessClient:
        """For calls to addresses that people or other services give."""
        return cls(lambda: new_client(to_the_public(settings)))

    def current(self) -> httpx2.Client:
        """The client to call with; do not keep it across a fork."""
        with self._lock:
            if self._client is None:
                self._client = self._factory()
            return self._client

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _forget(self) -> None:
        """The parent's sockets are left alone: closing them here would end the parent's TLS sessions."""
        self._lock = threading.Lock()
        self._client = None


def send(
    client: httpx2.Client, request: httpx2.Request, *, is_read: bool, pause: Callable[[float], object] = time.sleep
) -> httpx2.Response:
    """Send a request and read the whole answer, whatever its status.

    A read (`is_read`, by meaning and not by method) is tried again at once, twice, when its connection failed, which includes
    a kept one that the vendor closed meanwhile. A write never is: it may have been done. A timeout is not tried again either.
    Raises `httpx2.TransportError`.
    """
    for seconds in RETRY_PAUSES if is_read else ():
        try:
            return client.send(request)
        except (httpx2.NetworkError, httpx2.RemoteProtocolError):
            pause(seconds)
    return client.send(request)
