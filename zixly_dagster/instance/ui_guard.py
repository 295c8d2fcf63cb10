"""In front of the Dagster UI's own application: every change that somebody asks for is written down, and none passes a read-only one.

The gateway asks for its verdict before it has seen a body, so it cannot tell a mutation from a query; this can. Dagster's own
permissions stand behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zixly_dagster.instance.gateway_user import GatewayUser, gateway_user
from zixly_dagster.instance.ui_writes import GRAPHQL_PATH, READS, writes_asked

# Far above any run config of ours; the gateway lets less through.
MAX_BODY_BYTES = 4_000_000
# The gateway asks for its verdict when a websocket is opened, and not again. So none stays open for longer; the UI opens another.
SOCKET_SECONDS = 120.0
GOING_AWAY = 1001
REFUSED = "Nothing was changed: viewers only read. Ask an administrator for the role EDITOR."
# Dagster would take a mutation by GET too: another site's link or picture could then ask for it in somebody's name.
BY_LINK = "Nothing was changed: a change is asked for by POST."
log = structlog.get_logger()


@dataclass(frozen=True)
class AskedWrite:
    """Somebody's wish to change something through the UI."""

    user: GatewayUser | None
    changes: tuple[str, ...]
    is_refused: bool


Note = Callable[[AskedWrite], None]


class UiGuard:
    """Pure ASGI. `note` keeps what was asked; it is called on a thread and raises nothing."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        prefix: str,
        is_read_only: bool,
        trusts_gateway: bool,
        note: Note,
        socket_seconds: float = SOCKET_SECONDS,
    ) -> None:
        self._app = app
        self._socket_seconds = socket_seconds
        self._prefix = prefix
        self._is_read_only = is_read_only
        self._trusts_gateway = trusts_gateway
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and self._trusts_gateway:
            await self._app(scope, ending(receive, send, seconds=self._socket_seconds), send)
            return
        if scope["type"] != "http" or not self._may_write(scope):
            await self._app(scope, receive, send)
            return
        body = await body_of(receive)
        if body is None:
            await refusal(413, "The request is too large.")(scope, receive, send)
            return
        changes = writes_asked(scope["method"], self._path(scope), query_string=scope["query_string"], body=body)
        is_refused = self._is_read_only or scope["method"] in READS
        if changes:
            await self._tell(scope, changes, is_refused=is_refused)
        if changes and is_refused:
            await refusal(403, REFUSED if self._is_read_only else BY_LINK)(scope, receive, send)
            return
        await self._app(scope, replayed(body, receive), send)

    def _may_write(self, scope: Scope) -> bool:
        return scope["method"] not in READS or self._path(scope).endswith(GRAPHQL_PATH)

    def _path(self, scope: Scope) -> str:
        path: str = scope["path"]
        return path.removeprefix(self._prefix)

    async def _tell(self, scope: Scope, changes: tuple[str, ...], *, is_refused: bool) -> None:
        user = gateway_user(Headers(scope=scope), is_trusted=self._trusts_gateway)
        asked = AskedWrite(user=user, changes=changes, is_refused=is_refused)
        log.info(
            "ui_write_refused" if is_refused else "ui_write",
            user_id=user.id if user else None,
            role=user.role if user else None,
            changes=list(changes),
        )
        await run_in_threadpool(self._note, asked)


def ending(receive: Receive, send: Send, *, seconds: float) -> Receive:
    """What a websocket's other end sends, until the time is over: then it is closed, and the application told that it is gone."""
    deadline = asyncio.get_running_loop().time() + seconds

    async def until_then() -> Message:
        try:
            async with asyncio.timeout_at(deadline):
                return await receive()
        except TimeoutError:
            await send({"type": "websocket.close", "code": GOING_AWAY})
            return {"type": "websocket.disconnect", "code": GOING_AWAY}

    return until_then


async def body_of(receive: Receive) -> bytes | None:
    """The whole body; None when it is larger than anything that the UI sends."""
    parts: list[bytes] = []
    size = 0
    async for part in body_parts(receive):
        size += len(part)
        if size > MAX_BODY_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)


async def body_parts(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        yield message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return


def replayed(body: bytes, receive: Receive) -> Receive:
    """The body once more, as one message; after it whatever comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def refusal(status: int, text: str) -> ASGIApp:
    """An answer in GraphQL's form, which the UI shows as it is."""
    return JSONResponse({"data": None, "errors": [{"message": text}]}, status_code=status)
