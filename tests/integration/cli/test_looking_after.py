"""What `zixly up` turns into once the stack is up: the same process, smaller, which still owns the home and stops everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from zixly_cli.settings import StackSettings
from zixly_cli.stack.home import Home, HomeLock
from zixly_cli.stack.looking_after import OwnChild
from zixly_cli.stack.orphans import end_orphans, orphans_of
from zixly_cli.stack.ports import free_stack_ports

# `zixly up` with Valkey alone as its stack.
SMALL_UP = """
import json, sys
from zixly_cli.settings import StackSettings
from zixly_cli.stack import programs, startup
from zixly_cli import up
programs.python_programs = lambda plan: []
up.bring_up = lambda stack, **named: startup.start_group(stack, ("valkey",), **named)
programs.Plan.names = ("valkey",)
from rich.console import Console
settings = StackSettings.model_validate(json.loads(sys.argv[1]))
sys.exit(up.up(settings, variables={}, console=Console()))
"""
DEADLINE_SECONDS = 30.0


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[StackSettings]:
    made = StackSettings.model_validate({"home": tmp_path / "home", **free_stack_ports()})
    yield made
    end_orphans(made.home, gentle_seconds=0.5)
    Home(made.home).remove()


@pytest.fixture
def up(settings: StackSettings, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command, when it has become what looks after the stack."""
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", SMALL_UP, settings.model_dump_json()], stdout=file, stderr=file)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "zixly_cli.stack.looking_after" not in psutil.Process(process.pid).cmdline():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)
    yield process
    process.kill()
    process.wait()


def test_the_home_stays_owned_and_a_signal_at_any_moment_stops_everything(up: subprocess.Popen[bytes], settings: StackSettings) -> None:
    up.send_signal(signal.SIGTERM)  # it may not have its handlers yet: the signal waits for them
    owner = HomeLock(Home(settings.home)).owner()
    assert owner is not None
    assert owner.pid == up.pid
    assert up.wait(timeout=DEADLINE_SECONDS) == 0
    assert orphans_of(settings.home) == []
    assert HomeLock(Home(settings.home)).owner() is None


def test_it_ends_with_1_when_the_process_manager_is_killed(up: subprocess.Popen[bytes], settings: StackSettings) -> None:
    manager = next(child for child in psutil.Process(up.pid).children() if "supervisor.supervisord" in child.cmdline())
    manager.kill()
    assert up.wait(timeout=DEADLINE_SECONDS) == 1
    assert orphans_of(settings.home) == []


def test_it_holds_none_of_what_only_the_start_needs(up: subprocess.Popen[bytes]) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, zixly_cli.stack.looking_after; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"sqlalchemy", "alembic", "psycopg", "redis", "httpx2", "pydantic"} & set(loaded)
    assert psutil.Process(up.pid).memory_info().rss < 60_000_000


def test_the_end_of_a_child_from_before_is_seen_once_and_remembered() -> None:
    child = OwnChild(os.posix_spawnp("sleep", ["sleep", "60"], os.environ))
    assert child.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=0.1)
    child.kill()
    assert child.wait(timeout=5) == -signal.SIGKILL
    assert child.poll() == -signal.SIGKILL
    child.kill()
