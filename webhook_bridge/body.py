"""Read a request's body: the raw bytes, as many as we take and no more."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import ClientDisconnect, Request

from webhook_bridge.problems import BodyTooLarge, BodyTooSlow

READ_SECONDS = 10.0
# More than a gateway lets through beyond the bytes that are taken (`client_max_body_size`).
REST_BYTES = 2_000_000
REST_SECONDS = 2.0


async def raw_body(request: Request, *, max_bytes: int) -> bytes:
    """The bytes as they came. Raises `BodyTooLarge` when that is certain, and `BodyTooSlow`."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and len(length) < 20 and int(length) > max_bytes:
        if int(length) <= max_bytes + REST_BYTES:
            await read_the_rest(request)
        raise too_large(max_bytes)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await joined_chunks(request, max_bytes=max_bytes)
    except TimeoutError as error:
        raise BodyTooSlow(f"The body did not arrive within {READ_SECONDS:.0f} s.") from error


async def read_the_rest(request: Request) -> None:
    """Throw away what is only a little too large, for a moment: a gateway that still writes when the connection closes finds that before
    it finds the answer, and tells its sender of a gateway's fault (502)."""
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(REST_SECONDS):
            async for _ in request.stream():
                pass


async def joined_chunks(request: Request, *, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise too_large(max_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than the {max_bytes} bytes that are taken.")
