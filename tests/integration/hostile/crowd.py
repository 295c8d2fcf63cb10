"""Senders that mean no good: connections that say nothing, or one byte at a time, in the head or in the body, or stay."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import cycle, islice
from typing import Self


class Manner(StrEnum):
    """How a connection is slow."""

    IDLE = "says nothing"
    SLOW_HEAD = "a header, a byte at a time"
    SLOW_BODY = "a body, a byte at a time"
    SLOW_CHUNKS = "a chunked body, a byte at a time"
    KEPT = "one request that is answered, and then nothing"


BEGINNINGS = {
    Manner.IDLE: b"",
    Manner.SLOW_HEAD: b"POST /webhook/xero HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    Manner.SLOW_BODY: b"POST /webhook/xero HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n",
    Manner.SLOW_CHUNKS: b"POST /webhook/hubspot HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    Manner.KEPT: b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
}
MORE = {Manner.IDLE: b"", Manner.SLOW_HEAD: b"x", Manner.SLOW_BODY: b"x", Manner.SLOW_CHUNKS: b"1\r\nx\r\n", Manner.KEPT: b""}


@dataclass
class Crowd:
    """Connections to one address, as many of each manner; those that the other side ended are `ended`."""

    port: int
    opened: list[tuple[Manner, socket.socket]] = field(default_factory=list)
    ended: Counter[Manner] = field(default_factory=Counter)

    def come(self, count: int, manners: Sequence[Manner] = tuple(Manner)) -> None:
        for manner in islice(cycle(manners), count):
            connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
            connection.sendall(BEGINNINGS[manner])
            connection.setblocking(False)
            self.opened.append((manner, connection))

    def go_on(self) -> None:
        """One more byte each; those to whom nobody listens any more are left out."""
        still: list[tuple[Manner, socket.socket]] = []
        for manner, connection in self.opened:
            if is_open(connection, MORE[manner]):
                still.append((manner, connection))
            else:
                self.ended[manner] += 1
                connection.close()
        self.opened = still

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        for _, connection in self.opened:
            connection.close()
        self.opened = []


def is_open(connection: socket.socket, more: bytes) -> bool:
    """Whether the other side still listens; what it has said so far is read."""
    try:
        connection.send(more)
        with suppress(BlockingIOError):
            while connection.recv(65_536):
                pass
            return False
    except OSError:
        return False
    return True
