"""All of the console's routes: each page's, its files, and the way there."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from webhook_bridge.console.assets import assets_routes
from webhook_bridge.console.audit_page import audit_page_routes
from webhook_bridge.console.backfills_pages import backfills_pages_routes
from webhook_bridge.console.connections_page import connections_page_routes
from webhook_bridge.console.deliveries_pages import deliveries_pages_routes
from webhook_bridge.console.holding_page import holding_page_routes
from webhook_bridge.console.issues_pages import issues_pages_routes
from webhook_bridge.console.job_page import job_page_routes
from webhook_bridge.console.jobs_page import jobs_page_routes
from webhook_bridge.console.ledger_page import ledger_page_routes
from webhook_bridge.console.live import Live
from webhook_bridge.console.notifications_page import notifications_page_routes
from webhook_bridge.console.overview_page import overview_routes
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.people_page import people_page_routes
from webhook_bridge.console.reconciliation_page import reconciliation_page_routes
from webhook_bridge.console.replays_pages import replays_pages_routes
from webhook_bridge.console.reports_page import reports_page_routes
from webhook_bridge.console.searches_pages import searches_pages_routes
from webhook_bridge.console.tenants_page import tenants_page_routes
from webhook_bridge.console.tokens_page import tokens_page_routes
from webhook_bridge.routers import take

# Pages that need the console's parts and nothing else.
PAGES = (
    overview_routes,
    connections_page_routes,
    tenants_page_routes,
    reconciliation_page_routes,
    holding_page_routes,
    audit_page_routes,
    people_page_routes,
    tokens_page_routes,
    notifications_page_routes,
    reports_page_routes,
    deliveries_pages_routes,
    issues_pages_routes,
    ledger_page_routes,
    replays_pages_routes,
    searches_pages_routes,
    backfills_pages_routes,
)


def console_routes(parts: ConsoleParts) -> APIRouter:
    """Under `/console`, and `/`, which leads there. Pages are no part of the API's description."""
    router = APIRouter(include_in_schema=False)
    live = Live(parts.still)
    take(router, assets_routes(), jobs_page_routes(parts, live), job_page_routes(parts, live), *(routes(parts) for routes in PAGES))

    @router.get("/")
    def front() -> Response:
        return RedirectResponse("/console", status_code=303)

    return router
