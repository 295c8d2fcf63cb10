"""Processes that a killed `zixly up` left behind: found by a mark in their environment, ended gently and then not.

The mark is the path of the home, so another stack of the same user is never touched.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

MARK = "ZIXLY_STACK"
GENTLE_SECONDS = 3.0
FORCED_SECONDS = 3.0


def orphans_of(home: Path) -> list[psutil.Process]:
    """Processes with our mark, and their children (which may have overwritten their environment), except ourselves."""
    ourselves = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        if is_marked(process, home=home):
            for member in (process, *children_of(process)):
                found.setdefault(member.pid, member)
    return [process for pid, process in found.items() if pid not in ourselves]


def is_marked(process: psutil.Process, *, home: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(home)
    except (psutil.Error, OSError):
        return False  # somebody else's, or gone


def children_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def end_orphans(home: Path, *, gentle_seconds: float = GENTLE_SECONDS) -> list[str]:
    """End them all and say which there were. The process manager goes first and hard, so that it restarts nothing."""
    orphans = orphans_of(home)
    managers = [process for process in orphans if is_manager(process)]
    others = [process for process in orphans if process not in managers]
    send(managers, signal.SIGKILL)
    send(postgres_of(others), signal.SIGINT)
    send([process for process in others if not is_postgres(process)], signal.SIGTERM)
    _, alive = psutil.wait_procs(others, timeout=gentle_seconds)
    send(alive, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=FORCED_SECONDS)
    wait_until_gone(home)
    return sorted({str(process.pid) for process in orphans}, key=int)


def wait_until_gone(home: Path) -> None:
    """A worker may have had a child just when we looked."""
    deadline = time.monotonic() + FORCED_SECONDS
    while (rest := orphans_of(home)) and time.monotonic() < deadline:
        send(rest, signal.SIGKILL)
        psutil.wait_procs(rest, timeout=0.5)


def is_manager(process: psutil.Process) -> bool:
    return "supervisor.supervisord" in command_line(process)


def is_postgres(process: psutil.Process) -> bool:
    line = command_line(process)
    return bool(line) and (Path(line[0]).name == "postgres" or line[0].startswith("postgres:"))


def postgres_of(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Postmasters, not their children: SIGINT to the first stops all of it cleanly."""
    return [process for process in processes if is_postgres(process) and "-D" in command_line(process)]


def command_line(process: psutil.Process) -> Sequence[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return ()


def send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.Error:
            continue  # gone in the meantime
