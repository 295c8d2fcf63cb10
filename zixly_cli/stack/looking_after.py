"""`zixly up` once everything runs: show logs, put on their feet what the process manager gave up on, stop it all when told to.

It is what the command turns into (`become`): the same process with the same lock, but without what only the start needs, which is
three quarters of its memory and would lie there for as long as the stack is up.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from zixly_cli.stack.home import Home
from zixly_cli.stack.log_stream import LogStream
from zixly_cli.stack.manager import Manager
from zixly_cli.stack.shutdown import ManagerProcess, stop_all
from zixly_cli.stack.signals import STOPPING, stop_on_signals
from zixly_core.errors import Transient

LOOK_SECONDS = 0.25
CARE_SECONDS = 2.0
# Nobody waits for the end of a process that may be our child or may not; this is how often we look.
WAIT_SECONDS = 0.05

Say = Callable[[str], None]


@dataclass
class OwnChild:
    """A child that this process had before it became another program."""

    pid: int
    ended_with: int | None = None

    def poll(self) -> int | None:
        if self.ended_with is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.ended_with = os.waitstatus_to_exitcode(status)
        return self.ended_with

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (ended_with := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(WAIT_SECONDS)
        return ended_with

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Running:
    """A stack that is up, as far as it takes to look after it."""

    home: Home
    names: tuple[str, ...]
    manager: Manager
    process: ManagerProcess


def become(home: Home, *, names: tuple[str, ...], manager_pid: int, lock: int, parent: int) -> NoReturn:
    """Turn this process into the one that looks after the stack. The descriptor of the lock goes with it, so nobody else gets the
    home meanwhile; a signal that comes meanwhile is kept by the kernel until there is somebody who heeds it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    sys.stdout.flush()
    sys.stderr.flush()
    os.set_inheritable(lock, True)
    own = ("--home", str(home.path), "--manager", str(manager_pid), "--lock", str(lock), "--parent", str(parent), *names)
    # -P: a folder `zixly_cli` in which somebody happens to stand is not ours
    os.execv(sys.executable, [sys.executable, "-P", "-m", "zixly_cli.stack.looking_after", *own])  # noqa: S606 - that is the purpose


def main(arguments: list[str] | None = None) -> int:
    """The exit status of `zixly up`."""
    parser = argparse.ArgumentParser(prog="zixly up", description="What `zixly up` turns into; not to be called by hand.")
    for name in ("--manager", "--lock", "--parent"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("names", nargs="+")
    given = parser.parse_args(arguments)
    os.set_inheritable(given.lock, False)
    home = Home(given.home)
    say = teller(Console())
    with stop_on_signals(parent=given.parent) as stop:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        running = Running(home, tuple(given.names), Manager(home.socket), OwnChild(given.manager))
        try:
            return look_after(running, stop=stop, say=say)
        finally:
            stop_all(running.manager, process=running.process, home=home, say=say)


def teller(console: Console) -> Say:
    began = time.monotonic()
    return lambda text: console.print(f"[dim]{time.monotonic() - began:5.1f} s[/] {text}", highlight=False, soft_wrap=True)


def look_after(running: Running, *, stop: threading.Event, say: Say) -> int:
    """Show logs and put processes that the manager gave up on back on their feet, until told to stop."""
    stream = LogStream({name: running.home.logs / f"{name}.log" for name in running.names})
    next_care = time.monotonic()
    while not stop.wait(LOOK_SECONDS):
        stream.show_new()
        if time.monotonic() < next_care:
            continue
        next_care = time.monotonic() + CARE_SECONDS
        if running.process.poll() is not None:
            say("[bold red]the process manager was killed; stopping[/]")
            return 1
        revive(running, say=say)
    stream.show_new()
    return 0


def revive(running: Running, *, say: Say) -> None:
    try:
        for name, state in running.manager.states().items():
            if state.state == "FATAL":
                say(f"[red]{name} keeps failing[/]; it is tried again (log: {running.home.logs / name}.log)")
                running.manager.start(name)
    except Transient as error:
        say(f"[red]{error}[/]")


if __name__ == "__main__":
    sys.exit(main())
