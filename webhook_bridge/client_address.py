"""Whose address a request comes from: the socket's, or what our own proxies (ZIXLY_TRUSTED_PROXIES) say about it.

It is found once, around every request, and then stands where everybody looks for it: in `request.client`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from zixly_core.errors import SettingsError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# Bits of an IPv6 address that one customer has at least: he can ask from every address below.
CUSTOMER_BITS = 64


class TrustedProxies:
    """The proxies whose word is taken."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = tuple(networks)

    @classmethod
    def of(cls, setting: str) -> TrustedProxies:
        """From addresses or networks, separated by commas. Raises `SettingsError`."""
        names = [name.strip() for name in setting.split(",") if name.strip()]
        try:
            return cls([ip_network(name) for name in names])
        except ValueError as error:
            raise SettingsError(f"ZIXLY_TRUSTED_PROXIES is wrong: {error}") from None

    def client(self, scope: Scope) -> str:
        """The address that the nearest proxy which is not ours, or nobody, stands behind. Whatever else a sender writes into the header
        stands to the left of what our proxies add, and is not read."""
        address = address_in(scope["client"][0]) if scope.get("client") else None
        if address is None:
            return str(scope["client"][0]) if scope.get("client") else ""
        if not self._trusts(address):
            return str(address)
        said = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        while self._trusts(address) and said:
            told = address_in(said.pop())
            if told is None:
                break
            address = told
        return str(address)

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


@lru_cache(maxsize=1024)
def address_in(text: str) -> Address | None:
    """The address in a text, which may hold a port: some proxies add it."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def address_of(request: HTTPConnection) -> str:
    """The address of whoever sent this request; empty where there is none, as on a Unix socket."""
    return request.client.host if request.client else ""


def source_of(address: str) -> str:
    """What is counted as one source: an address of IPv4, a customer's network of IPv6."""
    known = address_in(address)
    if isinstance(known, IPv6Address):
        return str(ip_network((known, CUSTOMER_BITS), strict=False))
    return str(known or address)
