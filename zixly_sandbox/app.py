"""The application: vendors, admin API, health, put together from what is passed in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx2
from fastapi import FastAPI
from starlette.routing import Mount

from zixly_sandbox.admin.faults import faults_router
from zixly_sandbox.admin.records import records_router
from zixly_sandbox.admin.state import state_router
from zixly_sandbox.admin.webhooks import webhooks_router
from zixly_sandbox.clock import Clock
from zixly_sandbox.constants import DEFAULT_SEED, WEBHOOK_KEY
from zixly_sandbox.hubspot.routes import hubspot_routes
from zixly_sandbox.rules import Rules
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.xero.routes import xero_routes

DEFAULT_TARGET = "http://127.0.0.1:3000/webhook/xero"
LIMITS = httpx2.Limits(max_connections=64, max_keepalive_connections=32)


def create_app(
    *,
    clock: Clock | None = None,
    rules: Rules | None = None,
    seed: int = DEFAULT_SEED,
    target_url: str = DEFAULT_TARGET,
    webhook_key: str = WEBHOOK_KEY,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> FastAPI:
    """The sandbox as an application; its state is `app.state.sandbox`. Webhooks are sent while its lifespan runs, through
    `transport` when one is given."""
    sandbox = Sandbox(clock=clock or Clock(), rules=rules or Rules(), seed=seed, target_url=target_url, key=webhook_key)
    clients: list[httpx2.AsyncClient] = []

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with httpx2.AsyncClient(transport=transport, limits=LIMITS, timeout=30, trust_env=False) as client:
            clients.append(client)
            sender = asyncio.create_task(sandbox.webhook.run(client))
            try:
                yield
            finally:
                clients.clear()
                sender.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sender

    app = FastAPI(title="Zixly sandbox", lifespan=lifespan, docs_url="/_sandbox/docs", openapi_url="/_sandbox/openapi.json")
    app.state.sandbox = sandbox
    app.router.routes.append(Mount("/xero", routes=xero_routes(sandbox, lambda: sandbox.xero)))
    app.router.routes.append(Mount("/hubspot", routes=hubspot_routes(sandbox, lambda: sandbox.hubspot)))
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
    ):
        app.include_router(router, prefix="/_sandbox")
