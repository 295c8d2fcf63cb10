"""The gate that every call to a vendor passes: fault, time, admission (token, account, limits), work, answer, count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from starlette.types import Message, Receive, Scope, Send

from zixly_sandbox.faults import FaultKind, FaultRule, Faults
from zixly_sandbox.http import Answer, Call, Headers, System
from zixly_sandbox.protocol import DROP
from zixly_sandbox.rules import Rules
from zixly_sandbox.usage import CallLog


class ConnectionDropped(Exception):
    """The sandbox drops this connection. Goes out of the application only where no server could do it (in-process tests)."""


class Visit(Protocol):
    """An admitted call."""

    def headers(self) -> Headers:
        """What the vendor adds to each answer: the calls that are left."""

    def leave(self) -> None:
        """The call is over."""


class Desk(Protocol):
    """A vendor as the gate sees it."""

    @property
    def system(self) -> System: ...

    def admit(self, call: Call) -> Visit | Answer:
        """The visit, or the refusal."""

    def failure(self, status: int, *, retry_after: float) -> Answer:
        """An error in the vendor's own words."""


class House(Protocol):
    """What the gate needs of the sandbox; read anew on each call, because a reset puts new things in their place."""

    rules: Rules
    faults: Faults
    calls: CallLog


Handler = Callable[[Call, Any], Answer | Awaitable[Answer]]
"""Does the work and gives the answer, at once: nothing else happens in between. One that has to call out first (a handshake) gives
a promise of it."""


@dataclass(frozen=True)
class Gate:
    """One endpoint of a vendor, as an ASGI application."""

    house: House
    desk: Callable[[], Desk]
    endpoint: str
    handler: Handler
    is_open: bool = False
    """Open endpoints (tokens) ask for no token and count against no limit; their handlers get None for the visit."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        desk = self.desk()
        call = Call(
            system=desk.system,
            method=scope["method"],
            path=scope["path"],
            query_text=scope["query_string"].decode("latin-1"),
            params=scope["path_params"],
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            body=await body_of(receive),
        )
        answer = await self._answer(desk, call)
        self.house.calls.add(desk.system, self.endpoint, answer.status if answer else 0)
        if answer is None:
            await drop(scope, receive)
        else:
            await reply(answer, send)

    async def _answer(self, desk: Desk, call: Call) -> Answer | None:
        """None: the connection is to be dropped."""
        fault = self.house.faults.next(desk.system, method=call.method, path=call.path)
        if fault is None and not self.house.rules.latency_seconds:
            return await self._work(desk, call)  # as a rule nothing to wait for, so no other call is in progress
        visit = None if self.is_open else desk.admit(call)
        if isinstance(visit, Answer):
            return visit
        try:
            return await self._delayed(desk, call, visit, fault)
        finally:
            if visit is not None:
                visit.leave()

    async def _work(self, desk: Desk, call: Call) -> Answer:
        if self.is_open:
            return await self._handled(call, None)
        visit = desk.admit(call)
        if isinstance(visit, Answer):
            return visit
        try:
            answer = await self._handled(call, visit)
            return answer.with_headers(visit.headers())
        finally:
            visit.leave()

    async def _handled(self, call: Call, visit: Visit | None) -> Answer:
        answer = self.handler(call, visit)
        return answer if isinstance(answer, Answer) else await answer

    async def _delayed(self, desk: Desk, call: Call, visit: Visit | None, fault: FaultRule | None) -> Answer | None:
        """The same with what takes time: latency and faults, which fill the limit of calls in progress."""
        kind = fault.kind if fault else None
        seconds = fault.seconds if fault else 0
        waits = seconds if kind in {FaultKind.SLOW, FaultKind.TIMEOUT} else 0
        await asyncio.sleep(self.house.rules.latency_seconds + waits)
        match kind:
            case FaultKind.DISCONNECT_BEFORE | FaultKind.TIMEOUT:
                return None
            case FaultKind.RATE_LIMIT | FaultKind.BAD_REQUEST | FaultKind.FORBIDDEN | FaultKind.SERVER_ERROR | FaultKind.UNAVAILABLE:
                answer = desk.failure(int(kind), retry_after=seconds)
                answer = replace(answer, body=fault.text.encode()) if fault and fault.text is not None else answer
            case _:
                answer = await self._handled(call, visit)
        if kind is FaultKind.DISCONNECT_AFTER:
            return None
        return answer.with_headers(visit.headers()) if visit is not None else answer


async def body_of(receive: Receive) -> bytes:
    message: Message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    return body


async def reply(answer: Answer, send: Send) -> None:
    headers = [(b"content-type", answer.content_type), (b"content-length", b"%d" % len(answer.body)), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def drop(scope: Scope, receive: Receive) -> None:
    """Abort the connection and wait until the server has noticed, so that it does not answer in our place."""
    extension = scope.get("extensions", {}).get(DROP)
    if extension is None:
        raise ConnectionDropped
    extension["abort"]()
    while (await receive())["type"] != "http.disconnect":
        pass
