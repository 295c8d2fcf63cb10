"""A gateway as those outside meet it: over TLS, by its name. Browsers, websockets, and bytes as nobody's library would send them."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

from tests.support.busy import longest

SESSION = "__Host-zixly"
HANDSHAKE_SECONDS, LOG_SECONDS = 20.0, 10.0


@dataclass
class Front:
    """Where it is, and whom to trust. `source`: the address of this machine (127.0.0.0/8) from which is asked."""

    port: int
    plain_port: int
    folder: Path
    certificate: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def client(self, cookie: str | None = None, *, source: str = "127.0.0.1", **more: Any) -> httpx2.Client:
        """A browser in whose session somebody is, where a cookie is given."""
        headers = {**more.pop("headers", {}), **({"cookie": f"{SESSION}={cookie}"} if cookie else {})}
        transport = httpx2.HTTPTransport(verify=self.trust, local_address=source)
        return httpx2.Client(base_url=self.url, transport=transport, headers=headers, timeout=30, trust_env=False, **more)

    def websocket(self, cookie: str | None, *, origin: str | None = None, path: str = "/dagster/graphql") -> ClientConnection:
        return connect(
            f"wss://localhost:{self.port}{path}",
            ssl=self.trust,
            subprotocols=["graphql-ws"],  # type: ignore[list-item]
            additional_headers={"Cookie": f"{SESSION}={cookie}"} if cookie else {},
            origin=origin or self.url,  # type: ignore[arg-type]
            open_timeout=20,
            proxy=None,
        )

    def bytes_back(self, request: bytes, *, seconds: float = 20, source: str = "127.0.0.1") -> bytes:
        """What comes back for these bytes until the gateway hangs up or goes silent."""
        said = b""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=longest(HANDSHAKE_SECONDS), source_address=(source, 0)) as plain,
            self.trust.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.sendall(request)
            secured.settimeout(seconds)
            try:
                while piece := secured.recv(65_536):
                    said += piece
            except (TimeoutError, ConnectionError, ssl.SSLError):
                pass
        return said

    def asked_raw(self, line: str, *, headers: str = "", body: bytes = b"", host: str = "localhost", source: str = "127.0.0.1") -> bytes:
        """A request with its first line exactly as it is written."""
        head = (
            f"{line}\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        )
        return self.bytes_back(head.encode() + body, source=source)

    def wait_for_lines(self, count: int, *, since: int, **facts: object) -> None:
        """Return when so many lines with these facts stand behind the first `since` of the log: nginx writes one once all was sent."""
        began = time.monotonic()
        while sum(facts.items() <= line.items() for line in self.access_log()[since:]) < count:
            assert time.monotonic() - began < longest(LOG_SECONDS), f"not {count} lines with {facts}: {self.access_log()[since:]}"
            time.sleep(0.05)

    def access_log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "access.log").read_text().splitlines()]


def statuses(said: bytes) -> list[int]:
    """Of every answer in what came back."""
    return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d{3})", said, flags=re.MULTILINE)]


def subscribed(opened: ClientConnection, query: str, **variables: object) -> dict[str, Any]:
    """`graphql-ws`: open, ask, and the first answer."""
    opened.send(json.dumps({"type": "connection_init"}))
    assert json.loads(opened.recv(timeout=20)) == {"type": "connection_ack"}
    opened.send(json.dumps({"id": "1", "type": "start", "payload": {"query": query, "variables": variables}}))
    answer: dict[str, Any] = json.loads(opened.recv(timeout=20))
    return answer
