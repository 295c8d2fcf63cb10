"""The application, with the receiving of webhooks in front of everything that only pages and the API need.

A delivery to a path without a parameter comes to its receiver at once: no routing over a hundred templates, no dependencies to solve, no
body to bound twice. What is put around every request (an id, headers, duration, trace) is around it here too, and it answers the same;
the route stands in the application all the same, for its description and for whatever is no plain POST.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from webhook_bridge.problems import problem_of, unforeseen
from webhook_bridge.receive import Receiver
from zixly_core.errors import ZixlyError


class Bridge(FastAPI):
    """The routes, and what stands in front of them."""

    _door: ASGIApp | None = None
    _paths: frozenset[str] = frozenset()

    def put_in_front(self, deliveries: Deliveries, around: Callable[[ASGIApp], ASGIApp]) -> None:
        """Take a POST to one of their paths here. `around` is what is put around every request."""
        self._paths, self._door = deliveries.paths, around(deliveries)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._door is not None and scope["type"] == "http" and scope["path"] in self._paths and scope["method"] == "POST":
            await self._door(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@dataclass(frozen=True)
class Place:
    """What stands in the metrics and spans as the route."""

    path: str


class Deliveries:
    """Pure ASGI: the receiver of the path, and its errors as answers."""

    def __init__(self, receivers: Mapping[str, Receiver]) -> None:
        self._receivers = receivers
        self._places = {path: Place(path) for path in receivers}

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._receivers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        scope["route"] = self._places[path]
        try:
            answer = await self._receivers[path].answer(Request(scope, receive))
        except ZixlyError as error:
            answer = problem_of(error)
        except Exception as error:
            answer = unforeseen(error)
        await answer(scope, receive, send)
