"""Ports: whether they are free before anything starts, and who holds those that are not."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping

import psutil

from zixly_cli.settings import PORT_OWNERS, port_setting
from zixly_core.errors import SettingsError


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
    """Free ports for everything of a stack, by the names of `StackSettings`' fields."""
    while True:
        found = free_ports((*PORT_OWNERS, "daemon_metrics", "worker_metrics"))
        first = found["worker_metrics"]
        beside = range(first + 1, first + workers)
        if all(is_free(port) and port not in found.values() for port in beside):
            return {f"{name}_port": port for name, port in found.items()}


def free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """A different free port for each name, all looked for at once so that none comes twice."""
    probes = {name: socket.socket() for name in names}
    try:
        for probe in probes.values():
            probe.bind(("127.0.0.1", 0))
        return {name: int(probe.getsockname()[1]) for name, probe in probes.items()}
    finally:
        for probe in probes.values():
            probe.close()
