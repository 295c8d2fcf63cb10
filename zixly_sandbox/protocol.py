"""The server's protocol, able to drop a connection in the middle of a call: no ASGI message asks for that."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Where the application finds the function that drops the connection, in `scope["extensions"]`.
DROP = "zixly.drop_connection"


class DroppableProtocol(HttpToolsProtocol):
    """uvicorn's protocol with the connection's `abort` in the scope."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {DROP: {"abort": self.transport.abort}}
