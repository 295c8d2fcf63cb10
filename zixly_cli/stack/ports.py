"""Ports: whether they are free before anything starts, and who holds those that are not."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path
from random import SystemRandom

import psutil

from zixly_cli.settings import PORT_OWNERS, port_setting
from zixly_core.errors import SettingsError

LENT = Path("/proc/sys/net/ipv4/ip_local_port_range")
# RFC 6335, section 6.
IANA_DYNAMIC = (49152, 65535)
LOWEST, HIGHEST = 20_000, 65_535
FEWEST = 1_000


def refuse_taken_ports(ports: Mapping[str, int]) -> None:
    """Raises `SettingsError` naming every taken port and the setting that changes it."""
    taken = [
        f"Port {port} ({name}) is taken{holder_of(port)}; free it, or set {port_setting(name)} to another"
        for name, port in ports.items()
        if not is_free(port)
    ]
    if taken:
        raise SettingsError("\n".join(taken))


def is_free(port: int) -> bool:
    """True when one of ours could listen on the port of this machine. Closed connections that linger do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
        return True


def holder_of(port: int) -> str:
    """` by name (pid N)` where the operating system tells us, else nothing."""
    try:
        listening = [
            item
            for item in psutil.net_connections(kind="tcp")
            if item.status == psutil.CONN_LISTEN and item.laddr and item.laddr.port == port and item.pid
        ]
        return f" by {psutil.Process(listening[0].pid).name()} (pid {listening[0].pid})" if listening else ""
    except psutil.Error:
        return ""


def free_stack_ports(*, workers: int = 2) -> dict[str, int]:
    """Free ports for everything of a stack, by the names of `StackSettings`' fields; its workers' are beside one another."""
    beside = tuple(f"worker_{number}" for number in range(1, workers))
    while True:
        found = free_ports((*PORT_OWNERS, "daemon_metrics", "worker_metrics", *beside))
        first = found["worker_metrics"]
        if [found.pop(name) for name in beside] == list(range(first + 1, first + workers)):
            return {f"{name}_port": port for name, port in found.items()}


def free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """A different free port for each name. No port comes twice until all have come, since what it is for may not listen yet."""
    return {name: free_port() for name in names}


def free_port() -> int:
    """A free port of this machine that the system does not lend to outgoing connections: such a one may be gone before anything listens."""
    while True:
        port = next(_candidates)
        if is_free(port):
            return port


def candidates(lent: tuple[int, int]) -> Iterator[int]:
    """All ports outside of the range that is lent, over and over, from one by chance: other processes look for theirs at the same time."""
    low, high = lent
    below, above = range(LOWEST, min(low, HIGHEST + 1)), range(max(high + 1, LOWEST), HIGHEST + 1)
    ports = max(below, above, key=len)
    if len(ports) < FEWEST:
        ports = range(LOWEST, HIGHEST + 1)
    start = SystemRandom().randrange(len(ports))
    return cycle([*ports[start:], *ports[:start]])


def lent_ports() -> tuple[int, int]:
    """The first and last port that outgoing connections are given; where the system does not tell, the range that IANA names for it."""
    try:
        low, high = LENT.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return IANA_DYNAMIC
    return int(low), int(high)


_candidates = candidates(lent_ports())
