"""A bridge that really serves, over real Postgres, in a thread of the test's process."""

from __future__ import annotations

import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import httpx2
import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from tests.support.busy import longest
from tests.support.postgres import TestDatabase
from webhook_bridge.app import Parts, create_app, now, parts_from
from webhook_bridge.http_protocol import CarefulProtocol
from webhook_bridge.receive import Clock
from zixly_core.errors import QueueUnavailable
from zixly_core.queue import Depth, Message
from zixly_core.queues.memory import MemoryQueue
from zixly_core.settings import Settings
from zixly_core.systems import SYSTEMS

XERO_KEY = "dGVzdC1vbmx5LXhlcm8td2ViaG9vay1zaWduaW5nLWtleS1mb3ItZml4dHVyZXMtMDE="
APP_SECRET, OLDER_SECRET = "test-app-secret", "test-app-secret-of-last-week"
PUBLIC_URL = "https://hooks.example.test"
SECRETS_KEY = SecretStr(b64encode(bytes(range(32))).decode())


class SwitchedQueue(MemoryQueue):
    """A queue whose server a test can switch off."""

    is_off = False

    def send(self, job_ids: Sequence[UUID]) -> None:
        self._refuse_when_off()
        super().send(job_ids)

    def depth(self) -> Depth:
        self._refuse_when_off()
        return super().depth()

    def queued_ids(self) -> set[UUID]:
        messages: list[Message] = self.take(limit=1_000, wait=timedelta())
        return {job_id for message in messages for job_id in message.job_ids}

    def _refuse_when_off(self) -> None:
        if self.is_off:
            raise QueueUnavailable("The queue is switched off.")


@dataclass
class RunningBridge:
    """Its address, its queues, and how to stop it."""

    http: httpx2.Client
    queues: Mapping[str, SwitchedQueue]
    server: uvicorn.Server
    thread: threading.Thread = field(repr=False)

    def stop(self) -> None:
        self.http.close()
        self.server.should_exit = True
        self.thread.join(timeout=longest(15))
        assert not self.thread.is_alive(), "the bridge did not stop"


def settings_for(database: TestDatabase, *, port: int | None = None, **overrides: object) -> Settings:
    def url(role: str) -> SecretStr:
        plain = database.url(role)
        return SecretStr(plain if port is None else plain.replace(f":{database.server.port}/", f":{port}/"))

    values: dict[str, object] = {f"database_url_{role}": url(role) for role in ("intake", "api", "metrics")}
    values |= {"xero_webhook_keys": SecretStr(f"an-older-key, {XERO_KEY}"), "secrets_key": SECRETS_KEY}
    values |= {"hubspot_client_secret": SecretStr(APP_SECRET), "shopify_app_secrets": SecretStr(f"{APP_SECRET}, {OLDER_SECRET}")}
    values |= {"bridge_public_url": PUBLIC_URL}
    return Settings(**(values | overrides))  # type: ignore[arg-type]


def start_bridge(
    settings: Settings, *, clock: Clock = now, around: Callable[[ASGIApp], ASGIApp] = lambda app: app, port: int = 0
) -> RunningBridge:
    """A bridge by this clock; `around` is what stands in front of it. It listens on any free port, or on the one that is named."""
    queues = {name: SwitchedQueue(name=name, visibility=timedelta(minutes=1), max_takes=5) for name in SYSTEMS}
    parts: Parts = replace(parts_from(settings), queues=queues)
    app = around(create_app(settings, parts, clock=clock))
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=CarefulProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", port), backlog=1_024)
    port = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + longest(20)
    while not server.started:
        assert time.monotonic() < deadline, "the bridge did not start"
        assert thread.is_alive(), "the bridge ended"
        time.sleep(0.02)
    # A connection that was idle for five seconds is just being closed at the other end.
    limits = httpx2.Limits(max_connections=200, keepalive_expiry=2.0)
    http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=15, limits=limits)
    return RunningBridge(http=http, queues=queues, server=server, thread=thread)


def eventually(told: object, *, seconds: float = 5) -> None:
    """Wait until the function says true; fail when it does not in time."""
    deadline = time.monotonic() + longest(seconds)
    while not told():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
