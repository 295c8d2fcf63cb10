"""Stop the stack within 10 seconds: who takes new work first, then who works, then what they work with, Postgres last."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from zixly_cli.stack.home import Home
from zixly_cli.stack.kinds import kind_of
from zixly_cli.stack.manager import Manager
from zixly_cli.stack.orphans import GENTLE_SECONDS, end_orphans
from zixly_core.errors import Transient


class ManagerProcess(Protocol):
    """The process of the manager, as `subprocess.Popen` shows it."""

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


@dataclass(frozen=True)
class StopGroup:
    """Kinds of process that are stopped together, and how long the next group waits for them at most."""

    kinds: frozenset[str]
    seconds: float


# 9.5 s in all when everything hangs; about 2 s when nothing does.
STOP_GROUPS = (
    StopGroup(frozenset({"bridge", "daemon"}), seconds=0.5),
    StopGroup(frozenset({"worker", "code", "webserver"}), seconds=7.0),
    StopGroup(frozenset({"sandbox", "valkey"}), seconds=0.6),
    StopGroup(frozenset({"postgres"}), seconds=1.4),
)


def stop_all(manager: Manager, *, process: ManagerProcess | None, home: Home, say: Callable[[str], None]) -> None:
    """Stop every process and the manager. What does not stop in time is killed; nothing of this home is left afterwards."""
    gentle_seconds = 0.2
    try:
        stop_groups(manager, say=say)
        manager.shutdown()
    except Transient as error:
        say(f"{error}; its processes are ended directly")
        gentle_seconds = GENTLE_SECONDS
    if process is not None:
        try:
            process.wait(timeout=1.5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    left = end_orphans(home.path, gentle_seconds=gentle_seconds)
    if left:
        say(f"ended by force: {len(left)} processes")


def stop_groups(manager: Manager, *, say: Callable[[str], None]) -> None:
    for group in STOP_GROUPS:
        names = [name for name in manager.states() if kind_of(name) in group.kinds]
        for name in names:
            manager.stop(name)
        late = manager.wait_stopped(names, seconds=group.seconds)
        say(f"stopped {', '.join(name for name in names if name not in late)}" + (f"; late: {', '.join(late)}" if late else ""))
