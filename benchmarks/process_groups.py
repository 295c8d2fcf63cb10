"""What each part of the stack uses of the machine: CPU seconds and memory by group of processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psutil

from benchmarks.cpu import seconds_of

# The first word that is found in a command line names the group.
GROUPS = (
    ("bridge", "webhook_bridge"),
    ("daemon", "instance.daemon"),
    ("code server", "instance.code_server"),
    ("webserver", "instance.webserver"),
    ("workers", "instance.worker"),
    ("sandbox", "zixly_sandbox"),
    ("postgres", "postgres"),
    ("valkey", "valkey"),
)
REST = "others"
VENDORS = "sandbox"


def cpu_by_group(processes: Iterable[psutil.Process]) -> dict[str, float]:
    """CPU seconds since they began. Children that have ended are counted with their parents."""
    return summed((group_of(one), seconds_of(one)) for one in processes)


def grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: after[name] - before.get(name, 0.0) for name in after}


def group_of(process: psutil.Process) -> str:
    try:
        command = " ".join(process.cmdline()) or process.name()
    except psutil.NoSuchProcess:
        return REST
    return next((name for name, word in GROUPS if word in command), REST)


def summed(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in pairs:
        found[name] = found.get(name, 0.0) + value
    return found
