"""The application: vendors, admin API, health, put together from what is passed in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import httpx2
from fastapi import FastAPI
from starlette.routing import Mount

from zixly_sandbox.admin.asana import asana_router
from zixly_sandbox.admin.asana_webhooks import asana_webhooks_router
from zixly_sandbox.admin.bookings import bookings_router
from zixly_sandbox.admin.faults import faults_router
from zixly_sandbox.admin.hubspot import hubspot_router
from zixly_sandbox.admin.hubspot_webhooks import hubspot_webhooks_router
from zixly_sandbox.admin.objects import objects_router
from zixly_sandbox.admin.records import records_router
from zixly_sandbox.admin.shopify import shopify_router
from zixly_sandbox.admin.shopify_webhooks import shopify_webhooks_router
from zixly_sandbox.admin.slack import slack_router
from zixly_sandbox.admin.state import state_router
from zixly_sandbox.admin.sweeps import sweeps_router
from zixly_sandbox.admin.webhooks import webhooks_router
from zixly_sandbox.asana.routes import asana_routes
from zixly_sandbox.clock import Clock
from zixly_sandbox.constants import APP, DEFAULT_SEED, WEBHOOK_KEY
from zixly_sandbox.hubspot.routes import hubspot_routes
from zixly_sandbox.openid.desk import OpenIdDesk
from zixly_sandbox.openid.routes import openid_router
from zixly_sandbox.rules import Rules
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.shopify.hooks import HookTarget
from zixly_sandbox.shopify.routes import shopify_routes
from zixly_sandbox.slack.routes import slack_routes
from zixly_sandbox.sweeps.callbacks import post_callbacks
from zixly_sandbox.sweeps.routes import sweeps_routes
from zixly_sandbox.xero.routes import xero_routes

DEFAULT_TARGET = "http://127.0.0.1:3000/webhook/xero"
DEFAULT_HUBSPOT_TARGET = "http://127.0.0.1:3000/webhook/hubspot"
DEFAULT_SHOPIFY_TARGET = "http://127.0.0.1:3000/webhook/shopify"
LIMITS = httpx2.Limits(max_connections=64, max_keepalive_connections=32)


def create_app(
    *,
    clock: Clock | None = None,
    rules: Rules | None = None,
    seed: int = DEFAULT_SEED,
    target_url: str = DEFAULT_TARGET,
    webhook_key: str = WEBHOOK_KEY,
    hubspot_url: str = DEFAULT_HUBSPOT_TARGET,
    hubspot_public_url: str | None = None,
    hubspot_secret: str = APP.client_secret,
    shopify_url: str = DEFAULT_SHOPIFY_TARGET,
    shopify_secrets: Sequence[str] = (APP.client_secret,),
    base_url: str = "http://127.0.0.1:3900",
    transport: httpx2.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The sandbox as an application; its state is `app.state.sandbox`. Webhooks are sent while its lifespan runs, through
    `transport` when one is given. HubSpot signs over `hubspot_public_url`, the target's where it is left out."""
    clients: list[httpx2.AsyncClient] = []
    sandbox = Sandbox(
        clock=clock or Clock(),
        rules=rules or Rules(),
        seed=seed,
        target_url=target_url,
        key=webhook_key,
        hubspot_url=hubspot_url,
        hubspot_public_url=hubspot_public_url or hubspot_url,
        hubspot_secret=hubspot_secret,
        shopify_target=HookTarget(shopify_url, list(shopify_secrets)),
        base_url=base_url,
        client=lambda: clients[0],
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with httpx2.AsyncClient(transport=transport, limits=LIMITS, timeout=30, trust_env=False) as client:
            clients.append(client)
            sender = asyncio.create_task(sandbox.webhook.run(client))
            hubspot_sender = asyncio.create_task(sandbox.hubspot_webhook.run(client))
            shopify_sender = asyncio.create_task(sandbox.shopify_courier.run(client))
            asana_sender = asyncio.create_task(sandbox.asana_courier.run(client))
            callbacks = asyncio.create_task(post_callbacks(lambda: sandbox.sweeps, client))
            try:
                yield
            finally:
                clients.clear()
                sandbox.sweep_workers.shutdown(wait=False, cancel_futures=True)
                for task in (sender, hubspot_sender, shopify_sender, asana_sender, callbacks):
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task

    app = FastAPI(title="Zixly sandbox", lifespan=lifespan, docs_url="/_sandbox/docs", openapi_url="/_sandbox/openapi.json")
    app.state.sandbox = sandbox
    app.router.routes.append(Mount("/xero", routes=xero_routes(sandbox, lambda: sandbox.xero)))
    app.router.routes.append(Mount("/hubspot", routes=hubspot_routes(sandbox, lambda: sandbox.hubspot)))
    app.router.routes.append(Mount("/shopify", routes=shopify_routes(sandbox, lambda: sandbox.shopify)))
    app.router.routes.append(Mount("/asana", routes=asana_routes(sandbox, lambda: sandbox.asana)))
    app.router.routes.extend(sweeps_routes(sandbox, lambda: sandbox.sweeps))
    app.router.routes.extend(slack_routes(sandbox, lambda: sandbox.slack))
    app.include_router(openid_router(OpenIdDesk(f"{base_url}/oidc")))
    add_admin(app, sandbox, clients)
    return app


def add_admin(app: FastAPI, sandbox: Sandbox, clients: list[httpx2.AsyncClient]) -> None:
    """What no vendor has."""

    @app.get("/health")
    async def health() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    for router in (
        state_router(sandbox),
        faults_router(sandbox),
        webhooks_router(sandbox, lambda: clients[0]),
        records_router(sandbox),
        bookings_router(sandbox),
        objects_router(sandbox),
        hubspot_router(sandbox),
        hubspot_webhooks_router(sandbox),
        shopify_router(sandbox),
        shopify_webhooks_router(sandbox),
        asana_router(sandbox),
        asana_webhooks_router(sandbox),
        sweeps_router(sandbox),
        slack_router(sandbox),
    ):
        app.include_router(router, prefix="/_sandbox")
