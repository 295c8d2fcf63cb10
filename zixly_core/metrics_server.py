"""A small `/metrics` for processes that serve nothing else: a thread on a port of its own, for Prometheus alone.

It listens on this machine unless `ZIXLY_METRICS_HOST` says otherwise, and asks for the token where one is set (docs/metrics.md).
`/health` beside it says to whoever starts the process that it serves; it tells nothing, so it asks for nothing.
"""

from __future__ import annotations

import os
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from zixly_core.errors import SettingsError
from zixly_core.metrics_access import may_scrape
from zixly_core.setting_names import PREFIX
from zixly_core.settings import Settings

PortSetting = Literal["worker_metrics_port", "daemon_metrics_port"]
PATH = "/metrics"
HEALTH_PATH = "/health"
# Whoever connects and says nothing is let go.
SILENCE_SECONDS = 5.0


def metrics_server(registry: CollectorRegistry, settings: Settings, *, port: PortSetting) -> MetricsServer | None:
    """What tells the registry on the port of this setting; None where it is not set. Raises `SettingsError`."""
    number: int | None = getattr(settings, port)
    if number is None:
        return None
    token = None if settings.metrics_token is None else settings.metrics_token.get_secret_value()
    return MetricsServer(registry, host=settings.metrics_host, port=number, setting=f"{PREFIX}{port.upper()}", token=token)


class MetricsServer(ThreadingHTTPServer):
    """Listens from when it is made, answers from `serve`. Its socket is not passed on to children."""

    daemon_threads = True

    def __init__(self, registry: CollectorRegistry, *, host: str, port: int, setting: str, token: str | None) -> None:
        """Raises `SettingsError`, naming `setting`, for a port that cannot be had."""
        self.registry = registry
        self.token = token
        try:
            super().__init__((host, port), MetricsHandler)
        except OSError as error:
            raise SettingsError(f"{setting}: cannot listen on port {port} of {host} ({error.strerror}); choose another") from error
        os.register_at_fork(after_in_child=self.socket.close)

    def serve(self) -> None:
        """In a thread that ends with the process."""
        threading.Thread(target=self.serve_forever, name="metrics", daemon=True).start()


class MetricsHandler(BaseHTTPRequestHandler):
    """One request: what the registry tells, for whoever may know it."""

    server: MetricsServer
    timeout = SILENCE_SECONDS
    server_version, sys_version = "metrics", ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == HEALTH_PATH:
            self.answer(HTTPStatus.OK, b"alive\n")
        elif path != PATH:
            self.answer(HTTPStatus.NOT_FOUND)
        elif not may_scrape(self.headers.get("authorization"), token=self.server.token):
            self.answer(HTTPStatus.UNAUTHORIZED)
        else:
            self.answer(HTTPStatus.OK, generate_latest(self.server.registry), kind=CONTENT_TYPE_LATEST)

    def answer(self, status: HTTPStatus, body: bytes = b"", *, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("www-authenticate", "Bearer")
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, _format: str, *_arguments: object) -> None:
        """A scrape every few seconds is not worth a line."""
