"""A bridge of a question's own, over a server of its own, with the demo's accounts and the workflows that there are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import NotMeasured
from benchmarks.server import Urls
from zixly_cli.seed import Sender, seed_demo
from zixly_cli.stack import databases
from zixly_cli.stack.ports import free_port
from zixly_cli.stack.probes import http_answers

KEY = "only-for-this-benchmark"
# A busy machine takes its time.
READY_SECONDS = 180.0


@dataclass(frozen=True)
class Bridge:
    """Where it answers, and the process that is it or the parent of those that are."""

    address: str
    process: subprocess.Popen[bytes]


def seed_and_register(urls: Urls, folder: Path) -> None:
    """The demo's accounts, and the workflows."""
    key = folder / "key"
    key.write_text(b64encode(os.urandom(32)).decode())
    key.chmod(0o600)
    seed_demo(urls(databases.OWNER), key_file=key, sender=Sender(KEY, KEY))
    environment = {**os.environ, "ZIXLY_DATABASE_URL_DISPATCH": urls("zixly_dispatch")}
    subprocess.run([sys.executable, "-m", "zixly_dagster.register"], env=environment, check=True, capture_output=True, timeout=120)


@contextmanager
def running_bridge(urls: Urls, folder: Path, *, more: Mapping[str, str] | None = None) -> Iterator[Bridge]:
    """Ready to take deliveries. `more` are settings beside those that it needs. Raises `NotMeasured`."""
    port = free_port()
    own = {f"ZIXLY_DATABASE_URL_{role.upper()}": urls(f"zixly_{role}") for role in ("intake", "api", "metrics")}
    own |= {"ZIXLY_BRIDGE_PORT": str(port), "ZIXLY_XERO_WEBHOOK_KEYS": KEY, "ZIXLY_SECRETS_KEY_FILE": str(folder / "key")}
    with running("webhook_bridge", environment={**own, **(more or {})}, log=folder / "bridge.log") as process:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, process, log=folder / "bridge.log")
        yield Bridge(address, process)


def wait_for(address: str, process: subprocess.Popen[bytes], *, log: Path) -> None:
    """Until it answers. Raises `NotMeasured`."""
    deadline = time.monotonic() + READY_SECONDS
    while not http_answers(f"{address}/health")(0.0):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotMeasured(f"What was to answer did not start:\n{log.read_text(errors='replace')[-1_000:]}")
        time.sleep(0.1)


@contextmanager
def running(module: str, *arguments: str, environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, asked to end and then ended. With arguments its output is for us, without it goes to the log."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZIXLY_")}
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**kept, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if arguments else errors,
            stderr=errors,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
