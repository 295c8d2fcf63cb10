"""What an internet address leads to: the public internet, a private network, this machine, or nothing that may be called at all.

An address can be written inside another one (IPv4 in IPv6, NAT64, 6to4); what counts is where the packets end up.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Reach(StrEnum):
    """The least harmless comes last."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    FORBIDDEN = "forbidden"
    """Link-local (where clouds keep a machine's credentials), multicast, reserved, and what only stands for other addresses."""


def networks(*names: str) -> tuple[Network, ...]:
    return tuple(ip_network(name) for name in names)


LOOPBACK = networks("127.0.0.0/8", "::1/128")
# RFC 1918, RFC 6598 (carriers' NAT), RFC 4193.
PRIVATE = networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
# Metadata services that lie in networks which are otherwise private or public: AWS, Alibaba, Azure, Oracle.
METADATA = networks("fd00:ec2::/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32")
# Prefixes below which an IPv4 address is written, and how many bits stand to its right (RFC 6052, 3056).
WRAPPERS = ((ip_network("64:ff9b::/96"), 0), (ip_network("2002::/16"), 80))
# IPv4-compatible and -translated, local NAT64, Teredo, site-local: old or local ways to write an address that we cannot follow.
UNCLEAR = networks("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32", "fec0::/10")


def reach_of(address: Address) -> Reach:
    """Where the address leads."""
    address = unwrapped(address)
    if any(address in network for network in LOOPBACK):
        return Reach.LOOPBACK
    if any(address in network for network in METADATA):
        return Reach.FORBIDDEN
    if any(address in network for network in PRIVATE):
        return Reach.PRIVATE
    is_odd = address.is_link_local or address.is_multicast or address.is_reserved or address.is_unspecified
    if is_odd or not address.is_global or any(address in network for network in UNCLEAR):
        return Reach.FORBIDDEN
    return Reach.PUBLIC


def unwrapped(address: Address) -> Address:
    """The IPv4 address that is written inside one of IPv6, if one is."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    for network, bits in WRAPPERS:
        if address in network:
            return IPv4Address((int(address) >> bits) & 0xFFFFFFFF)
    return address


def literal(host: str) -> Address | None:
    """The address that a host of a URL is, in its one plain form; None for a name. A zone (`fe80::1%eth0`) is no part of it."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
