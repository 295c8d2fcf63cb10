"""Processes that a measurement starts beside the stack: each with a log of its own, waited for, and ended."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.errors import NotMeasured

READY_SECONDS = 120.0
STOP_SECONDS = 10.0


def spawn(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(
            command, cwd=log.parent, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
        )


def wait_for(process: subprocess.Popen[bytes], probe: Callable[[float], bool], *, what: str, since: float, log: Path) -> None:
    """Raises `NotMeasured` when it does not come up, with the end of what it said."""
    deadline = time.monotonic() + READY_SECONDS
    while not probe(since):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotMeasured(f"{what} did not come up:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.2)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
