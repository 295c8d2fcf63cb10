from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.integration.bridge.running import eventually
from tests.integration.bridge.test_process import environment, is_ready
from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase, free_port


@dataclass(frozen=True)
class Target:
    """A bridge in a process of its own."""

    port: int
    process: psutil.Process

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def megabytes(self) -> float:
        return self.process.memory_info().rss / 1e6


@pytest.fixture
def target(ledger: TestLedger, database: TestDatabase, tmp_path: Path) -> Iterator[Target]:
    port = free_port()
    with (tmp_path / "bridge.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webhook_bridge"], env=environment(database, port=port), stdout=output, stderr=output
        )
    try:
        running = Target(port, psutil.Process(process.pid))
        eventually(lambda: is_ready(running.address), seconds=30)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=15)
