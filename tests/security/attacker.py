"""An attacker, and the bridge that he attacks: the real process, in production, over real Postgres and Valkey.

Everything that the bridge said is kept, so that at the end one can look for what it should not have said.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.integration.bridge.running import XERO_KEY, eventually
from tests.support.busy import longest
from tests.support.postgres import TestDatabase
from zixly_cli.stack.ports import free_port
from zixly_core.secrets.keys import SecretKey

API_TOKEN = "api-token-PLANTED-f3a1c2"
# Told to the bridge as settings, each of a form that no pattern knows: only types can keep them out of sight.
PLANTED = {
    "ZIXLY_API_TOKEN": API_TOKEN,
    "ZIXLY_HUBSPOT_CLIENT_SECRET": "PLANTED hubspot secret 8f1e",
    "ZIXLY_SHOPIFY_CLIENT_SECRET": "PLANTED shopify secret 77ab",
    "ZIXLY_SHOPIFY_APP_SECRETS": "PLANTED shopify signing 1d2c",
    "ZIXLY_ASANA_CLIENT_SECRET": "PLANTED asana secret 5a5a",
    "ZIXLY_XERO_CLIENT_SECRET": "PLANTED xero secret 9b0d",
    "ZIXLY_SMTP_URL": "smtps://mailer:PLANTED-mail-4e4e@mail.example.test:465",
    "ZIXLY_NOTIFY_WEBHOOK_URL": "https://hooks.example.test/PLANTED-hook-2c9d",
}
MARKER = "PLANTED"
SOMEBODYS_ID = "00000000-0000-4000-8000-000000000000"
CHANGING = ("post", "put", "patch", "delete")
WORDS_OF_INSIDES = re.compile(r"traceback|psycopg|sqlalchemy|syntax error at|/site-packages/|File \"|root:x:0", re.IGNORECASE)


@dataclass
class Attacker:
    """Sends what he likes, and remembers all that came back."""

    port: int
    heard: list[str] = field(default_factory=list)
    client: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=30, trust_env=False), repr=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def send(self, method: str, path: str, *, known: bool = False, headers: dict[str, str] | None = None, **more: Any) -> httpx2.Response:
        """A request; `known` with the API's own token. Redirects are not followed."""
        own = {"Authorization": f"Bearer {API_TOKEN}"} if known else {}
        answer = self.client.request(method, f"{self.address}{path}", headers=own | (headers or {}), **more)
        self.client.cookies.clear()
        self.hear(f"{answer.headers} {answer.text}")
        return answer

    def raw(self, request: bytes, *, seconds: float = 5) -> bytes:
        """Bytes as they are: what a client library would put straight. What came back until the bridge hung up or went silent."""
        said = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as line:
            try:
                line.sendall(request)
                while piece := line.recv(65_536):
                    said += piece
            except (TimeoutError, ConnectionError):
                pass
        self.hear(said.decode(errors="replace"))
        return said

    def hear(self, text: str) -> None:
        self.heard.append(text)

    def paths(self) -> dict[str, dict[str, Any]]:
        """What the description of the API offers."""
        document: dict[str, Any] = self.send("GET", "/openapi.json", known=True).json()
        return dict(document["paths"])


def status_of(said: bytes) -> int:
    """The status of a raw answer; 0 when the bridge hung up without one."""
    found = re.match(rb"HTTP/1\.1 (\d{3})", said)
    return int(found[1]) if found else 0


def environment(database: TestDatabase, *, port: int, queue_url: str, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZIXLY_")}
    urls = {f"ZIXLY_DATABASE_URL_{role.upper()}": database.url(role) for role in ("intake", "api", "metrics")}
    own = {
        "ZIXLY_ENVIRONMENT": "production",
        "ZIXLY_BRIDGE_PORT": str(port),
        "ZIXLY_BRIDGE_PUBLIC_URL": "https://hooks.example.test",
        "ZIXLY_QUEUE_URL": queue_url,
        "ZIXLY_XERO_WEBHOOK_KEYS": XERO_KEY,
        "ZIXLY_SECRETS_KEY": SecretKey(bytes(range(32))).text,
        "ZIXLY_MAX_BODY_BYTES": "100000",
        # He is one tenant and one address: the limits have tests of their own.
        "ZIXLY_API_REQUESTS_PER_MINUTE": "1000000",
        "ZIXLY_UNKNOWN_REQUESTS_PER_MINUTE": "1000000",
        "ZIXLY_UNSIGNED_REQUESTS_PER_MINUTE": "1000000",
    }
    return inherited | urls | own | PLANTED | more


@contextmanager
def attacked(database: TestDatabase, log: Path, *, queue_url: str, **more: str) -> Iterator[Attacker]:
    """A bridge that serves, and its attacker."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "webhook_bridge"],
            env=environment(database, port=port, queue_url=queue_url, **more),
            stdout=output,
            stderr=output,
        )
    attacker = Attacker(port)
    try:
        eventually(lambda: answers(attacker), seconds=180)
        yield attacker
    finally:
        attacker.client.close()
        process.terminate()
        process.wait(timeout=longest(15))


def answers(attacker: Attacker) -> bool:
    try:
        return httpx2.get(f"{attacker.address}/health", timeout=5, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", SOMEBODYS_ID, path)


def routes(target: Attacker, *, under: str = "/api/") -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, operations in target.paths().items()
        if path.startswith(under)
        for method, operation in operations.items()
        if method in {"get", *CHANGING}
    ]
