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
    sockets = all_sockets_of(running_stack)
    assert {one for one in sockets if not is_loopback(one[1])} == set()


def all_sockets_of(stack: StackUnderTest) -> set[tuple[str, str, int]]:
    """Once every port of the stack is listened on: a process that was just restarted runs before it listens."""

    def listening() -> set[tuple[str, str, int]] | None:
        found = {socket for process in orphans_of(stack.settings.home) for socket in sockets_of(process)}
        return found if {port for _, _, port in found} >= set(stack.settings.ports().values()) else None

    sockets: set[tuple[str, str, int]] = stack.wait_until(listening, seconds=60, words="every port is listened on")
    return sockets
