"""The running stack as the faults see it: processes by name, the files that their next start reads, the disk below the objects.

Nothing here starts a process. What was killed comes back because the process manager starts it again.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil

from tests.support.busy import longest
from zixly_cli.stack.home import Home
from zixly_cli.stack.manager import Manager
from zixly_cli.stack.private_files import write_private
from zixly_cli.stack.programs import Plan
from zixly_core.errors import Transient

# Room for some ten thousand reports, and filled in a moment.
DISK_MB = 64
FILLER = "filler"
LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1", "/opt/homebrew/lib/faketime/*.dylib")
ADDED_PATH = Path(__file__).parent / "moved_clock"
LOOK_SECONDS = 0.1
BACK_SECONDS = 90.0


class NotBack(Exception):
    """A process did not come back by itself."""


@dataclass(frozen=True)
class Ground:
    """One stack under faults."""

    plan: Plan
    disk: Path | None = None
    """The small disk, where one could be mounted."""
    clock: Path | None = None
    """What tells the first worker how far its clock is off, where its library is installed."""

    @property
    def manager(self) -> Manager:
        return Manager(self.plan.home.socket)

    def pid(self, name: str) -> int | None:
        """None while it is being started."""
        try:
            return self.manager.states()[name].pid
        except Transient:
            return None

    def manager_pid(self) -> int:
        return int((self.plan.home.run / "supervisord.pid").read_text())

    def process(self, name: str) -> psutil.Process | None:
        pid = self.pid(name)
        try:
            return psutil.Process(pid) if pid else None
        except psutil.NoSuchProcess:
            return None

    def wait_until_back(self, name: str, *, instead_of: int | None) -> float:
        """How many seconds the process manager took to have it running again. Raises `NotBack`."""
        began, patience = time.monotonic(), longest(BACK_SECONDS)
        while time.monotonic() - began < patience:
            state = self.states().get(name)
            if state is not None and state[0] == "RUNNING" and state[1] != instead_of:
                return time.monotonic() - began
            time.sleep(LOOK_SECONDS)
        raise NotBack(f"{name} did not come back within {patience:.0f} s")

    def states(self) -> dict[str, tuple[str, int | None]]:
        try:
            return {name: (item.state, item.pid) for name, item in self.manager.states().items()}
        except Transient:
            return {}

    def fill_disk(self) -> None:
        """Leave not a byte free."""
        if self.disk is None:
            raise AssertionError("there is no small disk to fill")
        block = bytes(4096)
        with (self.disk / FILLER).open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(block)
            except OSError:
                return  # full

    def free_disk(self) -> None:
        if self.disk is not None:
            (self.disk / FILLER).unlink(missing_ok=True)

    def move_clock(self, seconds: float) -> None:
        if self.clock is None:
            raise AssertionError("the clock of no worker can be moved")
        part = self.clock.with_suffix(".part")
        part.write_text(f"{seconds:+.0f}s\n")
        part.rename(self.clock)


def give_environment(home: Home, name: str, added: dict[str, str]) -> None:
    """Change what the process's next start reads; the process manager starts it, not we."""
    path = home.run / f"{name}.json"
    document = orjson.loads(path.read_bytes())
    document["environment"] |= added
    write_private(path, orjson.dumps(document))


def clock_library() -> Path | None:
    """libfaketime, for programs with threads; None where it is not installed (Debian: `faketime`)."""
    return next((found for pattern in LIBRARIES for found in sorted(Path("/").glob(pattern.lstrip("/")))), None)


def clock_variables(library: Path, *, file: Path) -> dict[str, str]:
    """The wall clock follows the file, looked at once a second; timers and pauses stay true, as they do on a machine whose clock is
    wrong."""
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
        "FAKETIME_CACHE_DURATION": "1",
        "PYTHONPATH": str(ADDED_PATH),
    }


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk of `DISK_MB` below the folder; None for whoever may not mount one."""
    if os.geteuid() != 0:
        yield None
        return
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False, timeout=10).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False, timeout=10)


def with_movable_clock(ground: Ground, *, library: Path) -> Path:
    """Have the first worker's next start be one with a clock that can be moved, and kill it: the process manager starts it."""
    name = ground.plan.worker_names[0]
    file = ground.plan.home.run / "clock"
    file.write_text("+0s\n")
    give_environment(ground.plan.home, name, clock_variables(library, file=file))
    before = ground.process(name)
    if before is not None:
        before.kill()
    ground.wait_until_back(name, instead_of=before.pid if before else None)
    return file
