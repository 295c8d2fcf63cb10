"""What the running stack listens on: this machine and nothing else."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

import psutil

from tests.support.stack import StackUnderTest
from zixly_cli.stack.orphans import orphans_of


def is_loopback(address: str) -> bool:
    found = ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def sockets_of(process: psutil.Process) -> list[tuple[str, str, int]]:
    """What it listens on; UDP too, where a socket that is bound for receiving is as open. None for one that has ended meanwhile."""
    try:
        name, connections = process.name(), process.net_connections(kind="inet")
    except psutil.NoSuchProcess:
        return []
    is_open = {psutil.CONN_LISTEN, psutil.CONN_NONE}
    return [(name, one.laddr.ip, one.laddr.port) for one in connections if one.status in is_open and one.laddr and not one.raddr]


def test_everything_listens_on_this_machine_only(running_stack: StackUnderTest) -> None:
    sockets = {socket for process in orphans_of(running_stack.settings.home) for socket in sockets_of(process)}
    assert {port for _, _, port in sockets} >= set(running_stack.settings.ports().values())
    assert {one for one in sockets if not is_loopback(one[1])} == set()
