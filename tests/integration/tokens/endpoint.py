"""A vendor's token endpoint over real HTTP that rotates refresh tokens as Xero does: each is good once, and once more for a
new pair as long as nothing of the newer pair was used (the answer was lost)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import orjson


class TokenEndpoint:
    """What it was asked, what it accepted, and how slowly it answers."""

    def __init__(self, *, refresh_token: str, seconds: float) -> None:
        self.presented: list[str] = []
        self.accepted: list[str] = []
        self.asked = threading.Event()
        self.go_on = threading.Event()
        """Set, answers come at once."""
        self.seconds = seconds
        self._good = refresh_token
        self._earlier = ""
        self._lock = threading.Lock()

    def exchange(self, refresh_token: str) -> tuple[int, dict[str, object]]:
        with self._lock:
            self.presented.append(refresh_token)
            if refresh_token not in {self._good, self._earlier}:
                return 400, {"error": "invalid_grant"}
            self.accepted.append(refresh_token)
            self._earlier, self._good = refresh_token, f"refresh-{len(self.accepted)}"
            access_token = f"access-{len(self.accepted)}"
            return 200, {"access_token": access_token, "refresh_token": self._good, "expires_in": 1800, "token_type": "Bearer"}

    def revoke(self) -> None:
        self._good = self._earlier = "revoked"


@contextmanager
def served(endpoint: TokenEndpoint) -> Iterator[str]:
    """The endpoint on a free port of this machine; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            status, body = endpoint.exchange(form["refresh_token"][0])
            endpoint.asked.set()
            endpoint.go_on.wait(endpoint.seconds)
            content = orjson.dumps(body)
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                return  # the asking process is gone

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/connect/token"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
