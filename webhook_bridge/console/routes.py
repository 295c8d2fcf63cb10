"""All of the console's routes: each page's, its files, and the way there."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from webhook_bridge.console.assets import assets_routes
from webhook_bridge.console.job_page import job_page_routes
from webhook_bridge.console.jobs_page import jobs_page_routes
from webhook_bridge.console.live import Live
from webhook_bridge.console.overview_page import overview_routes
from webhook_bridge.console.parts import ConsoleParts


def console_routes(parts: ConsoleParts) -> APIRouter:
    """Under `/console`, and `/`, which leads there. Pages are no part of the API's description."""
    router = APIRouter(include_in_schema=False)
    router.include_router(assets_routes())
    live = Live(parts.still)
    router.include_router(overview_routes(parts))
    router.include_router(jobs_page_routes(parts, live))
    router.include_router(job_page_routes(parts, live))

    @router.get("/")
    def front() -> Response:
        return RedirectResponse("/console", status_code=303)

    return router
