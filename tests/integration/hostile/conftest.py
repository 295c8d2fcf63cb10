from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.integration.bridge.running import eventually
from tests.integration.bridge.test_process import environment, is_ready
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_cli.stack.ports import free_port

# That a process may have open before it asks for more; 1,024 on most systems, and less here so that fewer connections show it.
USUAL_FILES = 512


@dataclass(frozen=True)
class Target:
    """A bridge in a process of its own, which writes its log to a file."""

    port: int
    process: psutil.Process
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def megabytes(self) -> float:
        return self.process.memory_info().rss / 1e6


Start = Callable[..., AbstractContextManager[Target]]


@pytest.fixture
def start_target(ledger: TestLedger, database: TestDatabase, tmp_path: Path) -> Start:
    """Starts one with settings of the test's own."""

    @contextmanager
    def started(**overrides: str) -> Iterator[Target]:
        port, log = free_port(), tmp_path / "bridge.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["sh", "-c", f'ulimit -Sn {USUAL_FILES}; exec "$0" -m webhook_bridge', sys.executable],
                env=environment(database, port=port, **overrides),
                stdout=output,
                stderr=output,
            )
        try:
            running = Target(port, psutil.Process(process.pid), log)
            eventually(lambda: is_ready(running.address), seconds=30)
            yield running
        finally:
            process.terminate()
            process.wait(timeout=15)

    return started


@pytest.fixture
def target(start_target: Start) -> Iterator[Target]:
    with start_target() as running:
        yield running
