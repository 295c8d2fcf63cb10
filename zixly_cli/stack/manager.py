"""The process manager (supervisor): its start, and the few questions and orders that we have for it.

It runs as our child in a session of its own, so that a Ctrl-C in the terminal reaches `zixly up` alone, which then stops the
processes in their order. It restarts what dies, keeps logs in files, and is reached by a Unix socket that only we may use.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

from zixly_cli.stack.home import Home
from zixly_cli.stack.orphans import MARK
from zixly_core.errors import SettingsError, Transient

START_SECONDS = 15.0
ALIVE = frozenset({"RUNNING", "STARTING", "STOPPING"})


@dataclass(frozen=True)
class ProcessState:
    """What the manager knows of one process. `state` is its word for it: RUNNING, STOPPED, BACKOFF, FATAL and so on."""

    name: str
    state: str
    pid: int | None
    started_at: float | None
    """Seconds since 1970."""
    description: str


class Manager:
    """A running process manager. Raises `Transient` when it cannot be reached."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def _call(self, method: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as error:
            word = error.faultString.partition(":")[0]
            raise Transient(f"The process manager refused {method}: {error.faultString}", reason=word) from error
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise Transient(f"The process manager at {self._socket} cannot be reached ({type(error).__name__})") from error
        finally:
            transport.close()

    def states(self) -> dict[str, ProcessState]:
        return {item["name"]: state_from(item) for item in cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))}

    def start(self, name: str) -> None:
        """Without waiting. A process that runs already is left alone."""
        self._unless("ALREADY_STARTED", "startProcess", name)

    def stop(self, name: str) -> None:
        """Without waiting. A process that does not run is left alone."""
        self._unless("NOT_RUNNING", "stopProcess", name)

    def shutdown(self) -> None:
        self._call("shutdown")

    def _unless(self, harmless: str, method: str, name: str) -> None:
        try:
            self._call(method, name, False)
        except Transient as error:
            if error.reason != harmless:
                raise

    def wait_stopped(self, names: Iterable[str], *, seconds: float) -> list[str]:
        """Those of `names` that have not stopped in that time."""
        deadline = time.monotonic() + seconds
        wanted = set(names)
        while True:
            running = [name for name, item in self.states().items() if name in wanted and item.state in ALIVE]
            if not running or time.monotonic() > deadline:
                return running
            time.sleep(0.05)


def state_from(item: Mapping[str, Any]) -> ProcessState:
    is_alive = bool(item["pid"])
    return ProcessState(
        name=item["name"],
        state=item["statename"],
        pid=item["pid"] or None,
        started_at=float(item["start"]) if is_alive else None,
        description=item["description"],
    )


def start_manager(home: Home, *, config: Path) -> subprocess.Popen[bytes]:
    """Start the manager and return when it answers. Raises `SettingsError` with its own words when it does not start."""
    home.socket.unlink(missing_ok=True)
    output = home.logs / "supervisord.out"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)],
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), MARK: str(home.path), "PYTHONWARNINGS": "ignore"},
        )
    deadline = time.monotonic() + START_SECONDS
    manager = Manager(home.socket)
    while True:
        try:
            manager.states()
        except Transient:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise SettingsError(f"The process manager did not start: {output.read_text().strip()[-500:]}") from None
            time.sleep(0.05)
        else:
            return process
