"""In front of the Dagster UI's own application: every change that somebody asks for is written down, and none passes a read-only one.

The gateway asks for its verdict before it has seen a body, so it cannot tell a mutation from a query; this can. Dagster's own
permissions stand behind it.
"""

from __future__ import annotations

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
REFUSED = "Nothing was changed: viewers only read. Ask an administrator for the role EDITOR."
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

    def __init__(self, app: ASGIApp, *, prefix: str, is_read_only: bool, trusts_gateway: bool, note: Note) -> None:
        self._app = app
        self._prefix = prefix
        self._is_read_only = is_read_only
        self._trusts_gateway = trusts_gateway
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._may_write(scope):
            await self._app(scope, receive, send)
            return
        body = await body_of(receive)
        if body is None:
            await refusal(413, "The request is too large.")(scope, receive, send)
            return
        changes = writes_asked(scope["method"], self._path(scope), query_string=scope["query_string"], body=body)
        if changes:
            await self._tell(scope, changes)
        if changes and self._is_read_only:
            await refusal(403, REFUSED)(scope, receive, send)
            return
        await self._app(scope, replayed(body, receive), send)

    def _may_write(self, scope: Scope) -> bool:
        return scope["method"] not in READS or self._path(scope).endswith(GRAPHQL_PATH)

    def _path(self, scope: Scope) -> str:
        path: str = scope["path"]
        return path.removeprefix(self._prefix)

    async def _tell(self, scope: Scope, changes: tuple[str, ...]) -> None:
        user = gateway_user(Headers(scope=scope), is_trusted=self._trusts_gateway)
        asked = AskedWrite(user=user, changes=changes, is_refused=self._is_read_only)
        event = "ui_write_refused" if asked.is_refused else "ui_write"
        log.info(event, user=user.id if user else None, role=user.role if user else None, changes=list(changes))
        await run_in_threadpool(self._note, asked)


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
