"""The sandbox over HTTP with a clock that runs faster than ours, so that its minute is over in seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import uvicorn

from tests.support.busy import longest
from zixly_sandbox.app import create_app
from zixly_sandbox.clock import Clock
from zixly_sandbox.constants import APP, DEMO
from zixly_sandbox.protocol import DroppableProtocol
from zixly_sandbox.sandbox import Sandbox

# Ten of the sandbox's seconds pass in one of ours: Xero's minute takes 6 s.
FASTER = 10


class FastVendor:
    """A running sandbox and what it saw."""

    def __init__(self) -> None:
        start = time.time()
        self._socket = socket.create_server(("127.0.0.1", 0))
        app = create_app(clock=Clock(base=lambda: start + (time.time() - start) * FASTER))
        self.sandbox: Sandbox = app.state.sandbox
        config = uvicorn.Config(app, http=DroppableProtocol, ws="none", access_log=False, log_config=None, lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def xero_token(self) -> str:
        form = {"grant_type": "refresh_token", "refresh_token": DEMO.xero_refresh}
        answer = httpx2.post(f"{self.url}/xero/identity/connect/token", data=form, auth=(APP.client_id, APP.client_secret))
        token: str = answer.json()["access_token"]
        return token

    def answers(self) -> dict[int, int]:
        """How many calls to the organisation were answered how."""
        counts: dict[int, int] = {}
        for row in self.sandbox.calls.rows():
            if "token" not in row["endpoint"]:
                counts[row["status"]] = counts.get(row["status"], 0) + row["count"]
        return counts

    def rules(self, **changes: Any) -> None:
        self.sandbox.rules.change(changes)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self._socket.close()


@contextmanager
def fast_vendor() -> Iterator[FastVendor]:
    vendor = FastVendor()
    vendor.thread.start()
    end = time.monotonic() + longest(10)
    while not vendor.server.started:
        assert time.monotonic() < end, "the sandbox did not start"
        time.sleep(0.01)
    try:
        yield vendor
    finally:
        vendor.close()
