"""Parts of pages that are drawn anew while somebody looks: server-sent events, each with the part as it is now.

A stream reads at most every other second, and sends only what changed. It asks each time whether its owner may still look; it ends
with his session, after ten minutes (the browser then begins anew), and when what it shows cannot change any more. How many there are
at once is bounded for each process and each person: a page without its stream is a page that has to be loaded again.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

import structlog
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from webhook_bridge.problems import NotSignedIn, TooManyRequests
from webhook_bridge.signed_in import Caller
from zixly_core.errors import NotAllowed, Rejected, ZixlyError

EVERY_SECONDS = 2.0
LIFETIME_SECONDS = 600.0
# A line that nobody sees keeps proxies from taking the connection for dead.
SIGN_OF_LIFE_SECONDS = 15.0
MAX_STREAMS, MAX_EACH = 40, 8
LINE_ENDS = re.compile(r"\r\n|\r|\n")
HEADERS = {"x-accel-buffering": "no"}

log = structlog.get_logger()
Found = TypeVar("Found")


@dataclass(frozen=True)
class Part(Generic[Found]):
    """What is read for a caller, how it is drawn for him, and whether it is over. They run in a thread."""

    read: Callable[[Caller], Found]
    draw: Callable[[Caller, Found], str]
    is_over: Callable[[Found], bool] = lambda _: False


class Live:
    """The streams of this process. `still` tells who asks, by what he shows now."""

    def __init__(self, still: Callable[[Request], Caller], *, every_seconds: float = EVERY_SECONDS) -> None:
        self._still = still
        self._every_seconds = every_seconds
        self._open: Counter[str] = Counter()

    async def stream(self, request: Request, caller: Caller, part: Part[Found]) -> Response:
        """The stream; what it shows first is on the page already. Raises `TooManyRequests`, and what `part.read` raises."""
        if self._open.total() >= MAX_STREAMS or self._open[caller.name] >= MAX_EACH:
            raise TooManyRequests("Too many pages are kept live at once; load this one again instead.", retry_after_seconds=60)
        found = await run_in_threadpool(part.read, caller)
        return StreamingResponse(self._counted(request, caller, part, found), media_type="text/event-stream", headers=HEADERS)

    async def _counted(self, request: Request, caller: Caller, part: Part[Found], found: Found) -> AsyncIterator[str]:
        self._open[caller.name] += 1
        try:
            async for event in self._events(request, caller, part, found):
                yield event
        finally:
            self._open[caller.name] -= 1

    async def _events(self, request: Request, caller: Caller, part: Part[Found], found: Found) -> AsyncIterator[str]:
        ends_at, said_at = monotonic() + LIFETIME_SECONDS, monotonic()
        yield event_of("change", await run_in_threadpool(part.draw, caller, found))
        while monotonic() < ends_at:
            if part.is_over(found):
                yield event_of("end", "ended")
                return
            await asyncio.sleep(self._every_seconds)
            try:
                caller, now = await run_in_threadpool(self._look, request, part)
            except ZixlyError as error:
                yield event_of("end", reason_to_end(error))
                return
            if now != found:
                found, said_at = now, monotonic()
                yield event_of("change", await run_in_threadpool(part.draw, caller, found))
            elif monotonic() - said_at > SIGN_OF_LIFE_SECONDS:
                said_at = monotonic()
                yield ": still here\n\n"

    def _look(self, request: Request, part: Part[Found]) -> tuple[Caller, Found]:
        caller = self._still(request)
        return caller, part.read(caller)


def reason_to_end(error: ZixlyError) -> str:
    """For the person, in the place where `live` stood."""
    match error:
        case NotSignedIn():
            return "signed out: load the page again"
        case NotAllowed() | Rejected():
            return "no longer yours to see: load the page again"
        case _:
            log.info("stream_ended", reason=error.reason)
            return "not live: load the page again"


def event_of(name: str, text: str) -> str:
    """As the browser reads it: each line of the text is one of data."""
    lines = "\n".join(f"data: {line}" for line in LINE_ENDS.split(text))
    return f"event: {name}\n{lines}\n\n"
