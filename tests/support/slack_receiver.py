"""Slack's stand-in for what sends to an incoming webhook: keeps the messages, and refuses on request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class SlackReceiver:
    """What was posted to it."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.refuses = False
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not receiver.refuses:
                    receiver.messages.append(json.loads(body))
                self.send_response(404 if receiver.refuses else 200)
                self.end_headers()
                self.wfile.write(b"no_service" if receiver.refuses else b"ok")

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/services/T0001/B0001/secret"

    @property
    def titles(self) -> list[str]:
        return [attachment["title"] for message in self.messages for attachment in message["attachments"]]

    @property
    def texts(self) -> str:
        return "\n".join(attachment["text"] for message in self.messages for attachment in message["attachments"])


@contextmanager
def slack_receiver() -> Iterator[SlackReceiver]:
    receiver = SlackReceiver()
    thread = Thread(target=receiver.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()
