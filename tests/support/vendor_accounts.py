"""Clients of the sandbox's demo accounts, over the network, with tokens as the sandbox gives them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2

from zixly_sandbox.constants import APP, DEMO

PROOF = {"client_id": APP.client_id, "client_secret": APP.client_secret}


class SandboxTokens:
    """`AccessTokens` of the demo account at one vendor: one exchange, as the vendor wants it."""

    def __init__(self, sandbox_url: str, system: str) -> None:
        self._token = token_of(sandbox_url, system)

    def current(self) -> str:
        return self._token

    def renewed(self, *, refused: str) -> str:
        return self._token


def token_of(sandbox_url: str, system: str) -> str:
    refresh = {
        "xero": DEMO.xero_refresh,
        "hubspot": DEMO.hubspot_refresh,
        "shopify": DEMO.shopify_refresh,
        "asana": DEMO.asana_refresh,
    }
    paths = {
        "xero": "/xero/identity/connect/token",
        "hubspot": "/hubspot/oauth/2026-09/token",
        "shopify": f"/shopify/{DEMO.shop}/admin/oauth/access_token",
        "asana": "/asana/-/oauth_token",
    }
    form = {"grant_type": "refresh_token", "refresh_token": refresh[system]}
    with httpx2.Client(base_url=sandbox_url, trust_env=False) as http:
        if system == "xero":
            answer = http.post(paths[system], data=form, auth=(APP.client_id, APP.client_secret))
        elif system == "shopify":
            answer = http.post(paths[system], json={**form, **PROOF})
        else:
            answer = http.post(paths[system], data={**form, **PROOF})
    answer.raise_for_status()
    return str(answer.json()["access_token"])


class Echo(BaseHTTPRequestHandler):
    """Shakes hands as Asana wants it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        secret = self.headers.get("X-Hook-Secret")
        if secret:
            self.send_header("X-Hook-Secret", secret)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Nothing to tell."""


@contextmanager
def handshake_target() -> Iterator[str]:
    """An address that answers handshakes for as long as the block lasts."""
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/webhook/asana/x"
        server.shutdown()
        thread.join(10)
