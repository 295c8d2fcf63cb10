"""A moved clock moves the wall clock alone: a process whose pauses fail is another fault than the one that is meant."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chaos.ground import clock_library, clock_variables

PROGRAM = """
import threading, time
from datetime import UTC, datetime
before = time.monotonic()
time.sleep(0.2)
threading.Event().wait(0.1)
print(time.monotonic() - before, datetime.now(UTC).timestamp())
"""


@pytest.fixture
def library() -> Path:
    found = clock_library()
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs libfaketime: .ci/run installs it")
        pytest.skip("libfaketime is not installed (Debian's package faketime)")
    return found


@pytest.mark.parametrize("seconds", [0, 600, -7200])
def test_pauses_last_as_long_as_they_should_and_the_wall_clock_is_off(seconds: int, library: Path, tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text(f"{seconds:+d}s\n")
    environment = {**os.environ, **clock_variables(library, file=file)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    paused, now = (float(word) for word in done.stdout.split())
    assert 0.3 <= paused < 5
    assert abs(now - time.time() - seconds) < 10
