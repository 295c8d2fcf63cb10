"""How the routes of several modules become one application's."""

from __future__ import annotations

from fastapi import APIRouter


def take(into: APIRouter, *routers: APIRouter) -> None:
    """Serve these routers' routes just as they were made.

    FastAPI's `include_router` makes each of them once more for the place where it is included, and walks through the tree of routers with
    every request; without prefixes that buys nothing, and a bridge takes twice as long to start.
    """
    for router in routers:
        into.routes.extend(router.routes)
