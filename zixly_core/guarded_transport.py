"""The transport under every client that calls outside: it asks the policy (outgoing.py) about each request, redirected ones too, looks
the host up once, and connects to an address that the policy was asked about.

Names are changed between two look-ups (DNS rebinding); here there is only one. TLS and the header `Host` keep the name. A proxy named
in the environment is not used: it would look the name up by itself.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Sequence

import httpcore2
import httpx2

from zixly_core.addresses import Address, literal
from zixly_core.outgoing import NotReachable, Outgoing

Resolve = Callable[[str, int], Sequence[str]]


class AddressRefused(httpx2.UnsupportedProtocol):
    """The policy does not let the request through; nothing was sent."""


def resolved(host: str, port: int) -> list[str]:
    """Every address of a host, in the order in which they are to be tried."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens connections to addresses that were checked."""

    def __init__(self, outgoing: Outgoing, *, resolve: Resolve = resolved, backend: httpcore2.NetworkBackend | None = None) -> None:
        self._outgoing = outgoing
        self._resolve = resolve
        self._backend = backend or httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception | None = None
        for address in self._checked(host, port):
            try:
                return self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("The host has no address.")

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        raise httpcore2.UnsupportedProtocol("No socket of this machine is called.")

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)

    def _checked(self, host: str, port: int) -> list[str]:
        """All addresses, each of which the policy allows: a host with one bad address is not called at all."""
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError("The host was not found.") from error
        try:
            self._outgoing.check_addresses(map(address_of, found), host=host, port=port)
        except NotReachable as error:
            raise httpcore2.UnsupportedProtocol(str(error)) from error
        return list(found)


def address_of(text: str) -> Address:
    address = literal(text)
    if address is None:
        raise NotReachable("The host was found at something that is no address.")
    return address


class GuardedTransport(httpx2.HTTPTransport):
    """HTTP/1.1 with the policy in front. Raises `AddressRefused`; nothing was sent then."""

    def __init__(
        self, outgoing: Outgoing, *, limits: httpx2.Limits, resolve: Resolve = resolved, tls: ssl.SSLContext | None = None
    ) -> None:
        context = tls or httpx2.create_ssl_context()
        super().__init__(verify=context)
        self._outgoing = outgoing
        # The base class has no parameter for a backend; a test tells when its pool has another name.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=GuardedBackend(outgoing, resolve=resolve),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        try:
            self._outgoing.check(url.scheme, url.host, url.port, has_user=bool(url.userinfo))
            return super().handle_request(request)
        except NotReachable as error:
            raise AddressRefused(str(error), request=request) from error
        except httpx2.UnsupportedProtocol as error:
            raise AddressRefused(str(error), request=request) from error
