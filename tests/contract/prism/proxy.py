"""Prism between a client and the sandbox: it holds each request and each answer against a vendor's official description
(docs.stoplight.io/docs/prism/validation-proxy). `make prism` installs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.contract.clients.description import text_of
from zixly_cli.stack.ports import free_port

HERE = Path(__file__).parent
PRISM = HERE / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
START_SECONDS = 60
PROBLEM = "application/problem+json"


def missing() -> str | None:
    """Why prism cannot run here, None when it can. In CI it must."""
    if shutil.which("node") is None:
        return "node is not installed"
    return None if PRISM.exists() else "prism is not installed: run `make prism`"


def must_run() -> bool:
    return os.environ.get("CI") == "true"


@contextmanager
def prism(description: str, *, upstream: str, folder: Path) -> Iterator[str]:
    """The address of a proxy to `upstream` that answers a violation with an error of its own, for as long as the block lasts."""
    path = folder / f"{description}.yaml"
    path.write_text(text_of(description), encoding="utf-8")
    port = free_port()
    command = ["node", str(PRISM), "proxy", "-h", "127.0.0.1", "-p", str(port), "--errors", str(path), upstream]
    with (folder / f"{description}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_open(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, "prism ended"
        assert time.monotonic() < end, "prism did not start"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


class Violations(httpx2.HTTPTransport):
    """A transport that keeps what prism complained of."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.found: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = super().handle_request(request)
        self.calls += 1
        if answer.headers.get("content-type", "").startswith(PROBLEM):
            self.found.append(f"{request.method} {request.url.path}: {answer.read().decode()}")
        return answer
