"""A look over the finished application: every route has a line in the table of permissions, and asks who calls unless anybody may.

It is taken when the bridge starts, so that a route that somebody forgot to guard is never served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from webhook_bridge.permissions import ROUTES
from zixly_core.errors import ZixlyError


class RouteUnguarded(ZixlyError):
    """A route is served that nobody guards."""

    default_reason = "route_unguarded"


@dataclass(frozen=True)
class Served:
    """A route that the application serves. `answer` is the type of what it answers with, where it says so."""

    method: str
    template: str
    answer: object
    dependant: Dependant | None


def served_routes(app: FastAPI) -> Iterator[Served]:
    """What the application serves; `*` for what takes any method."""
    for context in iter_route_contexts(app.routes):
        for method in sorted(context.methods or {"*"}):
            answer, dependant = (getattr(context.route, name, None) for name in ("response_model", "dependant"))
            yield Served(method, context.path or "", answer, dependant)


def check_guarded(app: FastAPI, *callers: Callable[[Request], object]) -> None:
    """Raises `RouteUnguarded`. `callers` are the functions that tell who asks, and refuse."""
    unguarded = [
        f"{route.method} {route.template}" for route in served_routes(app) if not any(is_guarded(route, caller) for caller in callers)
    ]
    if unguarded:
        raise RouteUnguarded(f"Not in webhook_bridge/permissions.py, or without a question who calls: {', '.join(unguarded)}")


def is_guarded(route: Served, caller: Callable[[Request], object]) -> bool:
    need = ROUTES.get((route.method, route.template))
    if need is None:
        return False
    return need.is_public or bool(need.unless) or (route.dependant is not None and asks(route.dependant, caller))


def asks(dependant: Dependant, caller: Callable[[Request], object]) -> bool:
    """Whether the function is called before the route's own, at whatever depth."""
    return dependant.call is caller or any(asks(one, caller) for one in dependant.dependencies)
