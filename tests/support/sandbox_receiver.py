"""A sandbox whose webhooks arrive in the test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2

from tests.support.sandbox import SandboxCaller

Endpoint = Callable[[httpx2.Request], httpx2.Response | Awaitable[httpx2.Response]]


@contextlib.asynccontextmanager
async def receiving(endpoint: Endpoint) -> AsyncIterator[tuple[SandboxCaller, list[httpx2.Request]]]:
    """A sandbox without waits whose webhooks reach `endpoint`, and what arrived there."""
    arrived: list[httpx2.Request] = []

    async def take(request: httpx2.Request) -> httpx2.Response:
        arrived.append(request)
        answer = endpoint(request)
        return answer if isinstance(answer, httpx2.Response) else await answer

    caller = SandboxCaller(transport=httpx2.MockTransport(take))
    async with caller.http, caller.app.router.lifespan_context(caller.app):
        await caller.admin("PATCH", "/rules", {"webhooks": {"time_scale": 0}, "asana": {"gather_seconds": 0.02}})
        yield caller, arrived


async def until(condition: Callable[[], object]) -> None:
    for _ in range(2500):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("what was waited for did not happen within 5 seconds")
