"""A process of a running stack is told to end, as a machine that shuts down tells it: what became of it, in the process manager's words."""

from __future__ import annotations

import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from chaos.ground import Ground
from tests.support.busy import longest
from zixly_cli.stack.kinds import kind_of
from zixly_cli.stack.programs import STOP_SECONDS

EXITED = re.compile(r"exited: (\S+) \((.+); (?:not )?expected\)")
# Postgres waits for its clients for ever when it is told by SIGTERM; whoever stops it says so (`postgres_program`).
SIGNALS = {"postgres": signal.SIGINT}
# In either form of our logs. What Postgres tells each client whose connection it ends is no fault of its own.
BROKEN = re.compile(r"Traceback|\"level\": ?\"(?:error|critical)\"|\[(?:error|critical) *\]|PANIC")


@dataclass(frozen=True)
class Ended:
    """How a process went, and what it and its successor said."""

    name: str
    seconds: float
    status: str
    said: str

    @property
    def allowed_seconds(self) -> float:
        """What the process manager waits before it kills."""
        return STOP_SECONDS[kind_of(self.name)]

    @property
    def complaints(self) -> list[str]:
        """Lines that a person would read as a fault."""
        return [line for line in self.said.splitlines() if BROKEN.search(line)]


def told_to_end(ground: Ground, name: str) -> Ended:
    """Signalled, gone by itself, and running again because the process manager started it."""
    process = ground.process(name)
    assert process is not None, f"{name} runs"
    own, manager = ground.plan.home.logs / f"{name}.log", ground.plan.home.logs / "supervisord.log"
    sizes = {path: path.stat().st_size for path in (own, manager)}
    began = time.monotonic()
    process.send_signal(SIGNALS.get(name, signal.SIGTERM))
    process.wait(timeout=longest(30))
    seconds = time.monotonic() - began
    ground.wait_until_back(name, instead_of=process.pid)
    exits = dict(EXITED.findall(added_to(manager, since=sizes[manager])))
    return Ended(name, seconds, exits[name], added_to(own, since=sizes[own]))


def added_to(path: Path, *, since: int) -> str:
    return path.read_bytes()[since:].decode(errors="replace")
