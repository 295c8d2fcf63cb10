"""Look at a running stack and steer it from another terminal: status, down, start, stop, restart, reset, logs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from zixly_cli.settings import StackSettings
from zixly_cli.stack.home import Home, HomeLock
from zixly_cli.stack.log_stream import LogStream
from zixly_cli.stack.manager import Manager
from zixly_cli.stack.orphans import end_orphans
from zixly_cli.stack.valkey import forget_everything
from zixly_core.errors import SettingsError, Transient
from zixly_core.log_lines import readable

DOWN_SECONDS = 15.0
STOP_SECONDS = 15.0
FOLLOW_SECONDS = 0.25


@dataclass(frozen=True)
class ProcessRow:
    """One process as `zixly status` shows it."""

    process: str
    state: str
    pid: int | None
    port: int | None
    uptime_seconds: int | None


def status_rows(settings: StackSettings) -> list[ProcessRow]:
    """Every process of the stack; empty when the stack is not up."""
    home = Home(settings.home)
    try:
        states = Manager(home.socket).states()
    except Transient:
        return []
    ports = settings.ports()
    return [
        ProcessRow(
            process=name,
            state=state.state,
            pid=state.pid,
            port=ports.get(name),
            uptime_seconds=int(time.time() - state.started_at) if state.started_at is not None else None,
        )
        for name, state in states.items()
    ]


def status_document(rows: list[ProcessRow]) -> list[dict[str, object]]:
    return [asdict(row) for row in rows]


def status_table(rows: list[ProcessRow]) -> Table:
    table = Table()
    for column in ("process", "state", "pid", "port", "uptime"):
        table.add_column(column, justify="left" if column in {"process", "state"} else "right")
    for row in rows:
        colour = "green" if row.state == "RUNNING" else "red"
        uptime = "" if row.uptime_seconds is None else duration(row.uptime_seconds)
        table.add_row(row.process, f"[{colour}]{row.state}[/]", str(row.pid or ""), str(row.port or ""), uptime)
    return table


def duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def down(settings: StackSettings) -> bool:
    """Stop the stack, whoever started it and whatever is left of it. False when nothing ran. Raises `Transient` when it resists."""
    home = Home(settings.home)
    if not home.run.is_dir():
        return False
    lock = HomeLock(home)
    owner = lock.owner()
    if owner is None:
        return bool(end_orphans(home.path))
    os.kill(owner.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_SECONDS
    while lock.owner() is not None:
        if time.monotonic() > deadline:
            raise Transient(f"The stack (pid {owner.pid}) has not stopped within {DOWN_SECONDS:.0f} s; its logs are in {home.logs}")
        time.sleep(0.1)
    end_orphans(home.path)
    return True


def stop_process(settings: StackSettings, name: str) -> None:
    """Stop one process and keep it stopped until `start`. Raises `SettingsError` for a name that does not exist."""
    manager = manager_with(settings, name)
    manager.stop(name)
    if manager.wait_stopped([name], seconds=STOP_SECONDS):
        raise Transient(f"{name} has not stopped within {STOP_SECONDS:.0f} s")


def start_process(settings: StackSettings, name: str, *, is_empty: bool = False) -> None:
    """Start one process; `is_empty` makes Valkey forget everything first."""
    manager = manager_with(settings, name)
    if is_empty:
        if name != "valkey":
            raise SettingsError(f"--empty is for valkey, the only store that may be lost; {name} is not")
        if manager.states()[name].pid is not None:
            raise SettingsError("valkey is running; stop it first: zixly stop valkey")
        forget_everything(Home(settings.home))
    manager.start(name)
    wait_running(manager, name)


def wait_running(manager: Manager, name: str) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while (state := manager.states()[name].state) != "RUNNING":
        if state == "FATAL" or time.monotonic() > deadline:
            raise Transient(f"{name} does not start ({state}); see `zixly logs {name}`")
        time.sleep(0.1)


def manager_with(settings: StackSettings, name: str) -> Manager:
    manager = Manager(Home(settings.home).socket)
    try:
        states = manager.states()
    except Transient:
        raise SettingsError(f"No stack with the home {settings.home} is up; start it with `zixly up`") from None
    if name not in states:
        raise SettingsError(f"There is no process {name!r}; there are: {', '.join(states)}")
    return manager


def reset(settings: StackSettings) -> None:
    """Stop the stack and remove all its state."""
    home = Home(settings.home)
    if not home.path.exists():
        return
    down(settings)
    home.remove()


def log_file(settings: StackSettings, name: str) -> Path:
    """Raises `SettingsError` naming the logs that there are."""
    folder = Home(settings.home).logs
    path = folder / f"{name}.log"
    if not path.is_file():
        there = ", ".join(sorted(found.stem for found in folder.glob("*.log"))) or "none"
        raise SettingsError(f"There is no log of {name!r} in {folder}; there are: {there}")
    return path


def last_lines(path: Path, count: int) -> Iterator[str]:
    yield from path.read_text(errors="replace").splitlines()[-count:]


def shown_line(line: str, *, as_json: bool) -> str:
    """Readable on a terminal; elsewhere, or where it is asked for, as it is."""
    return line if as_json or not sys.stdout.isatty() else readable(line, colours="NO_COLOR" not in os.environ)


def follow(name: str, path: Path, *, as_json: bool = False) -> None:
    """Show what is added, until Ctrl-C."""
    stream = LogStream({name: path}, is_readable=not as_json)
    while True:
        stream.show_new()
        time.sleep(FOLLOW_SECONDS)
