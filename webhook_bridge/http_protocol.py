"""uvicorn's HTTP protocol, with bounds on what comes before a request's body: it has none of its own with httptools.

Without them a header that never ends fills the memory, and a connection that never sends one stays for ever (slow loris). A kept
connection between two requests is uvicorn's to end (its keep-alive).
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from webhook_bridge.problems import problem

# nginx takes as much with its defaults, and our cookies and the providers' tokens are far below.
MAX_HEAD_BYTES = 32_768
MAX_HEADERS = 100
HEAD_SECONDS = 15.0
TOO_LARGE = 431


class CarefulProtocol(HttpToolsProtocol):
    """One connection. A head that is too large is answered 431, one that is too slow with nothing: then the connection ends."""

    _head_bytes = 0
    _deadline: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._begin_head()
        super().data_received(data)
        if self._deadline is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)  # all of it belongs to a head that has not ended
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._begin_head()

    def on_headers_complete(self) -> None:
        self._end_head()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size <= MAX_HEAD_BYTES and len(self.headers) <= MAX_HEADERS:
            super().on_headers_complete()
            return
        app, self.app = self.app, head_too_large
        super().on_headers_complete()
        self.app = app

    def _begin_head(self) -> None:
        self._end_head()
        self._head_bytes = 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _end_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse(self) -> None:
        self._end_head()
        self.transport.write(STATUS_LINE[TOO_LARGE] + b"connection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()


async def head_too_large(scope: Scope, receive: Receive, send: Send) -> None:
    """In place of the application, for a request whose headers are too many or too large."""
    text = f"The headers are more than {MAX_HEADERS}, or larger than {MAX_HEAD_BYTES} bytes."
    answer: Any = problem(TOO_LARGE, reason="head_too_large", detail=text, headers={"connection": "close"})
    await answer(scope, receive, send)
