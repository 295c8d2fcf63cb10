"""Ways to break a running stack so that its alerts have something to tell."""

from __future__ import annotations

import signal
from contextlib import suppress

import psutil

from tests.support.stack import StackUnderTest
from zixly_cli.stack.manager import Manager


def kill_children(stack: StackUnderTest, name: str) -> None:
    for child in family_of(stack, name)[1:]:
        with suppress(psutil.NoSuchProcess):
            child.send_signal(signal.SIGKILL)


def family_of(stack: StackUnderTest, name: str) -> list[psutil.Process]:
    pid = Manager(stack.plan.home.socket).states()[name].pid
    assert pid, f"{name} is not running"
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
