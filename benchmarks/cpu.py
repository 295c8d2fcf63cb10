"""CPU seconds that processes have used, their children and those that have ended included."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

import psutil


def cpu_seconds(*processes: subprocess.Popen[bytes]) -> float:
    """Of these and everything that they started, until now."""
    return sum(seconds_of(one) for process in processes for one in with_children(process.pid))


def with_children(pid: int) -> Iterable[psutil.Process]:
    parent = psutil.Process(pid)
    return (parent, *parent.children(recursive=True))


def seconds_of(process: psutil.Process) -> float:
    """Its own, and those of its children that have ended; nothing for one that has just ended itself: its parent has them."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
