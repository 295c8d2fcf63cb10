"""`zixly up` as a user has it: the real processes of the whole stack, from outside. One story, told in order."""

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

from tests.support.busy import longest
from tests.support.stack import StackUnderTest, stack_in_a_temporary_folder
from zixly_cli.settings import PORT_OWNERS
from zixly_cli.stack.orphans import orphans_of


@pytest.fixture(scope="module")
def stack() -> Iterator[StackUnderTest]:
    with stack_in_a_temporary_folder() as made:
        yield made


def test_one_command_brings_up_every_process_and_prints_where_they_are(stack: StackUnderTest) -> None:
    stack.up()
    assert set(stack.states().values()) == {"RUNNING"}
    assert set(stack.states()) == {*PORT_OWNERS, "daemon", "worker-1"}
    for port in (stack.settings.bridge_port, stack.settings.webserver_port, stack.settings.sandbox_port):
        assert f"http://127.0.0.1:{port}" in stack.text()


def test_a_signed_delivery_becomes_a_completed_job(stack: StackUnderTest) -> None:
    sent = stack.zixly("send", "xero")
    assert (sent.returncode, sent.stdout.strip()) == (0, "200"), sent.stderr
    stack.wait_for_jobs(["COMPLETED"])


def test_a_second_stack_in_the_same_home_is_refused_in_one_sentence(stack: StackUnderTest) -> None:
    second = stack.zixly("up")
    assert second.returncode == 2
    assert second.stderr.startswith("zixly: A stack with the home")
    assert second.stderr.count("\n") == 1


def test_a_taken_port_is_named_with_its_setting_before_anything_is_started(stack: StackUnderTest, tmp_path: Path) -> None:
    environment = {**stack.environment, "ZIXLY_HOME": str(tmp_path / "other")}
    command = [sys.executable, "-m", "zixly_cli.main", "up"]
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=longest(60), check=False)
    assert second.returncode == 2
    assert f"Port {stack.settings.bridge_port} (bridge) is taken" in second.stderr
    assert "ZIXLY_BRIDGE_PORT" in second.stderr
    assert "Traceback" not in second.stderr
    assert not (tmp_path / "other" / "postgres").exists()


def test_valkey_comes_back_empty_and_the_next_delivery_is_completed_all_the_same(stack: StackUnderTest) -> None:
    assert stack.zixly("stop", "valkey").returncode == 0
    assert stack.zixly("send", "xero").stdout.strip() == "200"
    assert stack.zixly("start", "valkey", "--empty").returncode == 0
    stack.wait_for_jobs(["COMPLETED", "COMPLETED"])


def test_a_stack_whose_manager_and_command_were_killed_comes_up_again_with_its_state(stack: StackUnderTest) -> None:
    assert stack.process is not None
    manager = next(process for process in orphans_of(stack.settings.home) if "supervisor.supervisord" in process.cmdline())
    for victim in (stack.process.pid, manager.pid):
        os.kill(victim, signal.SIGKILL)
    stack.process.wait()
    stack.up()
    assert set(stack.states().values()) == {"RUNNING"}
    assert stack.job_statuses() == ["COMPLETED", "COMPLETED"]


def test_ctrl_c_stops_every_process_within_ten_seconds(stack: StackUnderTest) -> None:
    assert stack.process is not None
    began = time.monotonic()
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(timeout=longest(20)) == 0
    assert time.monotonic() - began < longest(10)
    assert orphans_of(stack.settings.home) == []
    assert stack.zixly("status").returncode == 3


def test_a_killed_make_leaves_nothing_that_stops_the_next(stack: StackUnderTest, tmp_path: Path) -> None:
    makefile = tmp_path / "Makefile"
    makefile.write_text(f"up:\n\t@exec {sys.executable} -m zixly_cli.main up\n")
    command = ("make", "-f", str(makefile), "up")
    stack.up(command)
    assert stack.process is not None
    first = psutil.Process(stack.process.pid).children()[0]
    stack.process.kill()
    stack.process.wait()
    stack.up(command)  # at once: the first is still on its way down
    assert not first.is_running()
    assert set(stack.states().values()) == {"RUNNING"}
    assert stack.zixly("down").returncode == 0
    assert orphans_of(stack.settings.home) == []


def test_reset_leaves_nothing(stack: StackUnderTest) -> None:
    assert stack.zixly("reset", "--yes").returncode == 0
    assert not stack.settings.home.exists()
