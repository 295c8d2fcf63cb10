"""Bounds for requests to the API and the pages: how large, how slow and how deep a body may be, and how long an answer may take.

Webhooks have bounds of their own (receive.py): their bodies are larger, and what they send is kept before it is looked at.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webhook_bridge.body import raw_body
from webhook_bridge.json_depth import MAX_DEPTH, is_too_deep
from webhook_bridge.problems import AnswerTooSlow, problem_of
from zixly_core.errors import MalformedPayload, ZixlyError

MAX_BODY_BYTES = 1_000_000
# Until an answer begins. Postgres gives up on what the API asks for long before.
ANSWER_SECONDS = 60.0
MAX_DISCARDED_BYTES, DISCARD_SECONDS = 5_000_000, 2.0
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})
WEBHOOKS = "/webhook/"


class Bounded:
    """Pure ASGI: the body is read here, whole, and given on as one message."""

    def __init__(self, app: ASGIApp, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._app = app
        self._answer_seconds = answer_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_webhook = scope["type"] == "http" and scope["path"].startswith(WEBHOOKS) and scope["method"] == "POST"
        if scope["type"] != "http" or is_webhook:
            await self._app(scope, receive, send)
            return
        try:
            body = b"" if scope["method"] in WITHOUT_BODY else await checked_body(scope, receive)
        except ClientDisconnect:
            return
        except ZixlyError as error:
            if not isinstance(error, MalformedPayload):  # of a body that was looked into, nothing is still coming
                await discarded(receive)
            answer = problem_of(error)
            answer.headers["connection"] = "close"  # what is left of the body is not read
            await answer(scope, receive, send)
            return
        await self._in_time(scope, given(body, receive), send)

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A work that goes on in a thread comes to its end, but nobody waits for it any more."""
        has_begun = False

        async def send_on(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            limit.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._answer_seconds) as limit:
                await self._app(scope, receive, send_on)
        except TimeoutError:
            if has_begun or not limit.expired():
                raise
            text = f"This took longer than {self._answer_seconds:.0f} s; it may still be done."
            await problem_of(AnswerTooSlow(text))(scope, receive, send)


async def checked_body(scope: Scope, receive: Receive) -> bytes:
    """The body, if it is within the bounds. Raises `BodyTooLarge`, `BodyTooSlow`, `MalformedPayload`, `ClientDisconnect`."""
    body = await raw_body(Request(scope, receive), max_bytes=MAX_BODY_BYTES)
    if is_too_deep(body):
        raise MalformedPayload(f"The body is nested more than {MAX_DEPTH} deep.", reason="too_deep")
    return body


async def discarded(receive: Receive) -> None:
    """Take a little of what is still coming: a connection that is closed over unread bytes is cut off, and the answer with it."""
    left = MAX_DISCARDED_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while left > 0:
                message = await receive()
                if not message.get("more_body", False):
                    return
                left -= len(message["body"])


def given(body: bytes, receive: Receive) -> Receive:
    """Gives the body once; after it, whatever the server has to tell (that the client has gone)."""
    is_given = False

    async def receive_it() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_it
