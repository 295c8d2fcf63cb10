"""Prometheus and Alertmanager for tests: Debian's, with their checkers, as children of this process."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "prometheus"
PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}


def require(program: str) -> str:
    """Its path. In CI a missing program is a failure: a suite that skips there proves nothing."""
    if path := shutil.which(program):
        return path
    text = f"{program} is not installed; `apt-get install {PACKAGES[program]}` does it"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def said_by(program: str, *arguments: str | Path) -> str:
    """What a checker prints when it is content; anything else fails the test with what it said."""
    command = [require(program), *map(str, arguments)]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
