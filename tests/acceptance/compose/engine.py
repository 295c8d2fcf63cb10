"""Podman in namespaces of its own: what it starts, mounts and routes is gone with them, however a test ends.

The network is one apart from the machine's: no port of the machine is taken, no rule of its firewall changed, nothing reached from inside.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.busy import longest

Answer = TypeVar("Answer")

TOOLS = (
    "podman",
    "runc",
    "netavark",
    "aardvark-dns",
    "catatonit",
    "mmdebstrap",
    "docker-compose",
    "unshare",
    "nsenter",
    "setpriv",
    "ip",
    "iptables",
)
# Of all that containers keep. On a disk, where /tmp may be memory.
FOLDER = Path("/var/tmp")
# What containers ask of the kernel, each tried in namespaces that end with the question, and the words for a machine that refuses it.
QUESTIONS = {
    "a folder in memory cannot be mounted": "mount -t tmpfs none /mnt",
    "a root in layers (overlay) cannot be mounted": f"at=$(mktemp -d {FOLDER}/zixly-probe.XXXXXX) && trap 'rm -rf $at' EXIT && cd $at && "
    "mkdir low high work both && mount -t overlay overlay -o lowerdir=low,upperdir=high,workdir=work both && umount both",
    "a bridge of networks cannot be made": "ip link add probe type bridge",
    "a pair of network interfaces cannot be made": "ip link add one type veth peer name other",
    "rules of a firewall cannot be made": "iptables -t nat -A POSTROUTING -j MASQUERADE",
    "forwarding cannot be switched on": "echo 1 >/proc/sys/net/ipv4/ip_forward",
    "control groups cannot be made": "for at in /sys/fs/cgroup/memory /sys/fs/cgroup; do "
    'mkdir "$at/zixly-probe-$$" 2>/dev/null && rmdir "$at/zixly-probe-$$" && exit 0; done; exit 1',
}
# The tree of Debian, the images made of it, and the packages: 2 GB were seen.
FREE_BYTES = 4_000_000_000
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
    """Skips with the reason where containers cannot run; with CI=true that is a failure (docs/decisions/0042)."""
    reason = what_is_missing() or refusal_of_the_machine()
    if reason is None:
        return
    words = f"docker-compose.yml WAS NOT BROUGHT UP: {reason}"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


def what_is_missing() -> str | None:
    """The programs, rights or room that are not there; None when all are."""
    missing = [name for name in TOOLS if shutil.which(name, path=f"{PATH}:/usr/lib/podman") is None]
    if missing:
        return f"{', '.join(missing)} not installed; docs/decisions/0042 names Debian's packages"
    if os.geteuid() != 0:
        return "containers need root"
    free = shutil.disk_usage(FOLDER).free
    return f"{FREE_BYTES / 1e9:.0f} GB are needed in {FOLDER}, and {free / 1e9:.1f} are free" if free < FREE_BYTES else None


def refusal_of_the_machine() -> str | None:
    """What this machine does not allow, and its own words; None when it allows all."""
    probe = "\n".join(f"( {command} ) || {{ echo '{words}' >&2; exit 1; }}" for words, command in QUESTIONS.items())
    command = ["unshare", *NAMESPACES, "--fork", "--kill-child", "sh", "-c", probe]
    try:
        done = subprocess.run(
            command,
            env={"PATH": PATH},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=longest(READY_SECONDS),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the machine did not say within {longest(READY_SECONDS):.0f} s whether it allows containers"
    return None if done.returncode == 0 else f"this machine does not allow what containers need: {done.stderr.strip()[-300:]}"


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
        return answered(self.tried(*command, seconds=seconds, **variables))

    def tried(self, *command: str, seconds: float, **variables: str) -> subprocess.CompletedProcess[str]:
        """The same, whatever it ends with."""
        return ended(self.command(*command), seconds=seconds, environment={**self.environment, **variables})

    def fetch(self, *command: str, seconds: float) -> str:
        """As `run`, but in the machine's own network, which has the packages. Its processes and mounts end with the engine all the same."""
        inside = ["nsenter", "--pid", "--target", str(self.first), "unshare", "--mount", "--mount-proc"]
        environment = {**os.environ, "PATH": PATH, "TMPDIR": str(self.folder / "tmp")}
        return answered(ended([*inside, *command], seconds=seconds, environment=environment))

    def start(self, *command: str, output: Path) -> None:
        """Something that goes on until the namespaces end."""
        with output.open("wb") as file:
            process = subprocess.Popen(self.command(*command), env=self.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        self._going_on.append(process)

    def wait_for_the_end(self) -> None:
        """The namespaces have ended, and with them whatever went on in them."""
        for process in self._going_on:
            process.wait(longest(READY_SECONDS))

    def inside(self, call: Callable[[], Answer]) -> Answer:
        """What `call` gives, made by a thread that is in this network."""
        return self._threads.submit(call).result()


def ended(command: list[str], *, seconds: float, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=longest(seconds),
        check=False,
    )


def answered(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, f"{' '.join(done.args)} ended with {done.returncode}:\n{done.stdout[-6000:]}"
    return done.stdout


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
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < longest(READY_SECONDS):
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
