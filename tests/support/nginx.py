"""nginx for tests: Debian's, started on a rendered configuration, as a child of this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.busy import longest
from zixly_cli.stack.ports import holder_of

START_SECONDS = 15.0


def require_nginx() -> str:
    """Its path. In CI a missing nginx is a failure: a suite that skips there proves nothing."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found:
        return found
    text = "nginx is not installed; `apt-get install nginx` does it"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def globals_for_tests() -> str:
    """In the foreground; as root the workers stay root, since they must reach the test's own folder."""
    return "daemon off;" + (" user root;" if os.geteuid() == 0 else "")


@contextmanager
def running_nginx(configuration: str, *, folder: Path, port: int) -> Iterator[None]:
    """nginx with this configuration, until the block ends."""
    file = folder / "nginx.conf"
    file.write_text(configuration)
    with (folder / "nginx.out").open("wb") as output:
        command = [require_nginx(), "-c", str(file), "-g", globals_for_tests()]
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for(port, process, folder / "nginx.out")
        yield
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    """Until nginx itself listens there: while it tries to bind a port that somebody else has, the other one would answer."""
    deadline = time.monotonic() + longest(START_SECONDS)
    while port not in listening_ports(process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"nginx did not start on port {port}{holder_of(port)}: {said.read_text()[-2000:]}")
        time.sleep(0.05)


def listening_ports(pid: int) -> set[int]:
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return set()
    return {found.laddr.port for found in connections if found.status == psutil.CONN_LISTEN}
