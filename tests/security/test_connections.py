"""Connections that never say anything, say it for ever, or say too much before they come to the point: on the protocol as it is served."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from tests.support.busy import longest
from webhook_bridge import http_protocol
from webhook_bridge.bounded import Bounded
from webhook_bridge.http_protocol import MAX_HEAD_BYTES, MAX_HEADERS, CarefulProtocol

pytestmark = pytest.mark.integration
HEAD_SECONDS = 1.0


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the whole body and says how long it was; `/slow` thinks for long."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    if scope["path"] == "/slow":
        await asyncio.sleep(30)
    body = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """Where it is served, with little patience: with more on a busy machine, on which whoever is quick is slow too."""
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", longest(HEAD_SECONDS))
    app = Bounded(hello, answer_seconds=longest(1))
    server = uvicorn.Server(uvicorn.Config(app, http=CarefulProtocol, ws="none", lifespan="off", log_config=None, timeout_keep_alive=2))
    listener = socket.create_server(("127.0.0.1", 0), backlog=2_048)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Everything that comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reading = asyncio.create_task(everything(reader))
    with suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
    answer = await asyncio.wait_for(reading, longest(15))
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
    return answer


async def everything(reader: asyncio.StreamReader) -> bytes:
    """What had come before the connection ended, however it ended: whoever goes on sending to a closed one is cut off."""
    answer = b""
    with suppress(ConnectionError):
        while some := await reader.read(65_536):
            answer += some
    return answer


def request(*headers: bytes, path: bytes = b"/", end: bytes = b"\r\n\r\n") -> bytes:
    return b"\r\n".join([b"GET " + path + b" HTTP/1.1", b"host: x", b"connection: close", *headers]) + end


async def test_a_usual_request_is_answered(port: int) -> None:
    assert (await said(port, request(b"cookie: " + b"x" * 8_000))).startswith(b"HTTP/1.1 200")
    body = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 500000\r\n\r\n" + b"x" * 500_000
    assert (await said(port, body)).endswith(b"500000")


@pytest.mark.parametrize(
    "head",
    [
        request(b"x: " + b"y" * 65_536),
        request(b"x: " + b"y" * MAX_HEAD_BYTES),
        request(*[b"x-%d: y" % number for number in range(MAX_HEADERS)]),
        request(path=b"/" + b"y" * 40_000),
        request(b"x: " + b"y" * 60_000, end=b""),
    ],
    ids=["64 kB", "just too large", "many", "long path", "never ends"],
)
async def test_a_head_that_is_too_large_is_refused(port: int, head: bytes) -> None:
    assert (await said(port, head)).startswith(b"HTTP/1.1 431")


async def test_a_header_that_never_ends_fills_no_memory(port: int) -> None:
    """httptools keeps a value until it ends: a gigabyte of it would be kept whole."""
    began = time.monotonic()
    answer = await said(port, b"GET / HTTP/1.1\r\nx: ", *[b"y" * 65_536] * 200)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")  # the rest may have come to a closed connection
    assert time.monotonic() - began < longest(10)


@pytest.mark.parametrize(
    "parts",
    [[b""], [b"\r\n"] * 20, [b"G", b"E", b"T", b" ", b"/"] + [b"x"] * 20, [b"GET / HTTP/1.1\r\n"] + [b"x: y\r\n"] * 20],
    ids=["silent", "empty lines", "slow line", "slow headers"],
)
async def test_a_connection_that_does_not_come_to_the_point_is_ended(port: int, parts: list[bytes]) -> None:
    began = time.monotonic()
    assert await said(port, *parts, pause=0.2) == b""
    assert time.monotonic() - began < longest(8)


async def test_after_a_request_the_next_one_may_not_be_slow_either(port: int) -> None:
    began = time.monotonic()
    first = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    answer = await said(port, first, *[b"\r\n"] * 3, b"GET / HTTP/1.1\r\n", *[b"x: y\r\n"] * 20, pause=0.2)
    assert answer.count(b"HTTP/1.1") == 1
    assert time.monotonic() - began < longest(10)


async def test_requests_behind_one_another_on_one_connection_are_all_answered(port: int) -> None:
    first = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    assert (await said(port, first * 5 + request())).count(b"HTTP/1.1 200") == 6
    assert (await said(port, first, first, request(), pause=0.5)).count(b"HTTP/1.1 200") == 3


async def test_a_thousand_idle_connections_hinder_nobody_and_are_ended(port: int) -> None:
    with ExitStack() as opened:
        idle = [opened.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(900)]
        began = time.monotonic()
        assert (await said(port, request())).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < longest(5)
        for connection in (idle[0], idle[449], idle[-1]):
            connection.setblocking(False)  # it is ended by the loop that waits here
            assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(connection, 1), longest(15)) == b""


async def test_an_answer_that_takes_too_long_is_given_up(port: int) -> None:
    answer = await said(port, request(path=b"/slow"))
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"answer_too_slow" in answer
