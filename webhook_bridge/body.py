"""Read a request's body: the raw bytes, as many as we take and no more."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from webhook_bridge.problems import BodyTooLarge, BodyTooSlow

READ_SECONDS = 10.0


async def raw_body(request: Request, *, max_bytes: int) -> bytes:
    """The bytes as they came. Raises `BodyTooLarge` as soon as that is certain, and `BodyTooSlow`."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and len(length) < 20 and int(length) > max_bytes:
        raise too_large(max_bytes)
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await joined_chunks(request, max_bytes=max_bytes)
    except TimeoutError as error:
        raise BodyTooSlow(f"The body did not arrive within {READ_SECONDS:.0f} s.") from error


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
