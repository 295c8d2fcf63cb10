"""Podman in namespaces of its own: what it starts, mounts and routes is gone with them, however a test ends.

The network is one apart from the machine's: no port of the machine is taken, no rule of its firewall changed, nothing reached from inside.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

Answer = TypeVar("Answer")

TOOLS = ("podman", "runc", "buildah", "catatonit", "mmdebstrap", "docker-compose", "unshare", "nsenter", "setpriv", "ip", "iptables")
# What containers ask of the kernel, in namespaces that end with the question: a root of their own in layers, a bridge, rules, groups.
PROBE = """set -e
mount -t tmpfs none /mnt
mkdir /mnt/below /mnt/above /mnt/work /mnt/both
mount -t overlay overlay -o lowerdir=/mnt/below,upperdir=/mnt/above,workdir=/mnt/work /mnt/both
ip link add probe type bridge
iptables -t nat -L -n >/dev/null
test -w /sys/fs/cgroup/cgroup.procs || test -w /sys/fs/cgroup/memory
"""
NAMESPACES = ("--net", "--mount", "--pid", "--ipc", "--uts")
READY_SECONDS = 20.0
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
# runc, since crun refuses mixed cgroups; limits, since Podman asks for more than a container of CI may have; a folder of networks, since
# Podman trips over those that it finds on the machine.
STORAGE = '[storage]\ndriver = "overlay"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n'
CONTAINERS = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/libpod"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/net"
"""


def require_containers() -> None:
    """With CI=true a missing tool is a failure, as installing it mends it. What the machine refuses no change to this repository can mend:
    that is a skip everywhere, with the machine's own words (docs/decisions/0042)."""
    missing = [name for name in TOOLS if not (shutil.which(name) or Path("/usr/sbin", name).exists())]
    if missing and os.environ.get("CI"):
        pytest.fail(f"docker-compose.yml cannot be brought up: {', '.join(missing)} not installed")
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    if refusal := refusal_of_the_machine():
        pytest.skip(f"docker-compose.yml WAS NOT BROUGHT UP: {refusal}")


def refusal_of_the_machine() -> str | None:
    """Why this machine runs no containers; None when it does."""
    if os.geteuid() != 0:
        return "containers need root"
    command = ["unshare", *NAMESPACES, "--fork", "--kill-child", "sh", "-c", PROBE]
    done = subprocess.run(
        command, env={"PATH": PATH}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=READY_SECONDS, check=False
    )
    if done.returncode == 0:
        return None
    return f"this machine does not allow what containers need: {done.stderr.strip()[-300:] or 'control groups are not writable'}"


@dataclass(frozen=True)
class Engine:
    """A folder with everything that Podman keeps, and the namespaces in which it works."""

    folder: Path
    first: int
    """The process that holds the namespaces."""
    _threads: ThreadPoolExecutor
    _going_on: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.folder / "podman.sock"

    def command(self, *command: str) -> list[str]:
        return ["nsenter", *NAMESPACES, "--target", str(self.first), *command]

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "TMPDIR": str(self.folder / "tmp"),
            "DOCKER_HOST": f"unix://{self.socket}",
            "HOME": str(self.folder),
        }
        return {"PATH": PATH, **own}

    def run(self, *command: str, seconds: float, **variables: str) -> str:
        """What it printed. Fails with all of it when it ends with anything but 0."""
        done = self.tried(*command, seconds=seconds, **variables)
        assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-6000:]}"
        return done.stdout

    def tried(self, *command: str, seconds: float, **variables: str) -> subprocess.CompletedProcess[str]:
        """The same, whatever it ends with."""
        return subprocess.run(
            self.command(*command),
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )

    def start(self, *command: str, output: Path) -> None:
        """Something that goes on until the namespaces end."""
        with output.open("wb") as file:
            process = subprocess.Popen(self.command(*command), env=self.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        self._going_on.append(process)

    def wait_for_the_end(self) -> None:
        """The namespaces have ended, and with them whatever went on in them."""
        for process in self._going_on:
            process.wait(READY_SECONDS)

    def inside(self, call: Callable[[], Answer]) -> Answer:
        """What `call` gives, made by a thread that is in this network."""
        return self._threads.submit(call).result()


@contextmanager
def engine_in(folder: Path) -> Iterator[Engine]:
    """An engine without images, which has shown that it can run."""
    for name in ("net", "tmp", "run"):
        (folder / name).mkdir()
    (folder / "storage.conf").write_text(STORAGE.format(folder=folder))
    (folder / "containers.conf").write_text(CONTAINERS.format(folder=folder))
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", *NAMESPACES, "--fork", "--mount-proc", "--kill-child", "sleep", "infinity"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    engine = None
    try:
        first = first_process_below(process)
        with ThreadPoolExecutor(1, initializer=enter_network, initargs=(first,)) as threads:
            engine = Engine(folder, first, threads)
            engine.run("ip", "link", "set", "lo", "up", seconds=10)
            # Netavark keeps names of networks and addresses below /run: what an earlier one left there would be answered too.
            engine.run("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run", seconds=10)
            try:
                yield engine
            finally:
                # Control groups are the machine's own: those of containers that still run would stay.
                engine.tried("podman", "rm", "--all", "--force", "--time", "0", seconds=60)
    finally:
        process.kill()
        process.wait()
        if engine is not None:
            engine.wait_for_the_end()


def first_process_below(process: subprocess.Popen[bytes]) -> int:
    """Once it is the program that was asked for, its namespaces are as they shall be."""
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "sleep":
                return int(child)
        time.sleep(0.05)
    pytest.fail(f"the namespaces that were made a moment ago are not made now (unshare {' '.join(NAMESPACES)})")


def enter_network(process: int) -> None:
    """This thread, and no other, is in the network of that process from now on."""
    with Path(f"/proc/{process}/ns/net").open() as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) != 0:
            raise OSError(ctypes.get_errno(), "the network's namespace cannot be entered")
