"""The whole sandbox on a free port, in a thread: it answers, and shakes hands; its webhooks lead nowhere."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.support.busy import longest
from zixly_sandbox.app import create_app
from zixly_sandbox.protocol import DroppableProtocol

# The port for what is to be thrown away (RFC 863); nothing listens there.
NOWHERE = "http://127.0.0.1:9/"


@contextmanager
def running_sandbox() -> Iterator[str]:
    """The address of a sandbox for as long as the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(base_url=url, target_url=NOWHERE, hubspot_url=NOWHERE, shopify_url=NOWHERE)
        config = uvicorn.Config(app, http=DroppableProtocol, ws="none", access_log=False, log_config=None, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True)
        thread.start()
        end = time.monotonic() + longest(20)
        while not server.started:
            assert time.monotonic() < end, "the sandbox did not start"
            time.sleep(0.01)
        yield url
        server.should_exit = True
        thread.join(20)
