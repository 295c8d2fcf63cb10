"""The bridge put together. Everything is made here and passed in; importing this opens no connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from webhook_bridge.announcer import Announcer
from webhook_bridge.app_secrets import AppSecrets
from webhook_bridge.audit_api import audit_routes
from webhook_bridge.authenticators import authenticators_of
from webhook_bridge.backfills_api import backfills_routes
from webhook_bridge.bounded import Bounded
from webhook_bridge.client_address import TrustedProxies
from webhook_bridge.connect_pages import connect_routes
from webhook_bridge.connections_api import connections_routes
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.problem_pages import show_problems
from webhook_bridge.console.routes import console_routes
from webhook_bridge.cors import CorsForApi
from webhook_bridge.database import AsyncDatabase
from webhook_bridge.deliveries_api import deliveries_routes
from webhook_bridge.exports.lists import listings
from webhook_bridge.exports.routes import exports_routes
from webhook_bridge.front_door import Bridge, Deliveries
from webhook_bridge.gateway_verdict import gateway_routes, judge_of
from webhook_bridge.guarding import check_guarded
from webhook_bridge.health import health_routes
from webhook_bridge.intake_service import IntakeParts, IntakeService
from webhook_bridge.issues_api import issues_routes
from webhook_bridge.jobs_api import jobs_routes
from webhook_bridge.limits import Limits, limited
from webhook_bridge.metrics_door import MetricsDoor
from webhook_bridge.middleware import Around
from webhook_bridge.notifications_api import notifications_routes
from webhook_bridge.pauses_api import pauses_routes
from webhook_bridge.people_api import people_routes
from webhook_bridge.priorities_api import priorities_routes
from webhook_bridge.problems import handle_problems
from webhook_bridge.receive import Clock, receive_routes, receivers_of
from webhook_bridge.reconciliations_api import reconciliations_routes
from webhook_bridge.replays_api import replays_routes
from webhook_bridge.reverify import Reverifier
from webhook_bridge.routers import take
from webhook_bridge.routing_snapshot import RoutingSnapshot
from webhook_bridge.same_site import OwnSite
from webhook_bridge.scrape import PipelineCollector, scrape_registry
from webhook_bridge.scrape_machine import Watched
from webhook_bridge.searches_api import searches_routes
from webhook_bridge.sign_in import SignIn
from webhook_bridge.sign_in_pages import sign_in_routes
from webhook_bridge.signed_in import Caller, caller_of
from webhook_bridge.subscriptions_api import subscriptions_routes
from webhook_bridge.tenants_api import tenants_routes
from webhook_bridge.tokens_api import tokens_routes
from webhook_bridge.trace_api import trace_routes
from webhook_bridge.watching_api import watching_routes
from zixly_core.connecting import Connecting
from zixly_core.kept_payloads import Objects
from zixly_core.metrics import ProcessMetrics
from zixly_core.notifications.facts import Places
from zixly_core.openid.places import origin_of
from zixly_core.openid.setting_up import provider_of
from zixly_core.process import shared_objects
from zixly_core.queue import Queue
from zixly_core.queues import open_queue
from zixly_core.rates.limiter import RateLimiter, rate_store
from zixly_core.rates.rate import RateStore
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.vaults import open_vault
from zixly_core.settings import Settings
from zixly_core.stores.database import Database
from zixly_core.system import System
from zixly_core.systems import SYSTEMS

# Two for the committers, one for the routing table, one to spare.
INTAKE_CONNECTIONS = 4
ABOUT = """Takes webhooks: verified over their raw bytes, committed to Postgres, and only then answered. What they become are jobs,
which this API shows."""


@dataclass(frozen=True)
class Parts:
    """What a bridge is made of."""

    systems: Mapping[str, System]
    intake: AsyncDatabase
    databases: Mapping[str, Database]
    """By role: `intake` (to ask whether it answers), `api`, `metrics`."""
    queues: Mapping[str, Queue]
    box: SecretBox | None
    registry: CollectorRegistry
    objects: Objects
    """Where archived payloads and exports lie; opened when it is first needed."""
    rates: RateStore
    """Where requests are counted."""


def parts_from(settings: Settings) -> Parts:
    """The parts that the settings name. Raises `SettingsError`. Nothing is connected yet."""
    has_key = settings.secrets_key is not None or settings.secrets_key_file is not None
    urls = {role: settings.required(f"database_url_{role}") for role in ("intake", "api", "metrics")}
    sizes = {"intake": 1, "api": 4, "metrics": 2}
    return Parts(
        systems=SYSTEMS,
        intake=AsyncDatabase(urls["intake"], name="bridge-intake", max_size=INTAKE_CONNECTIONS),
        databases={role: Database(url, name=f"bridge-{role}", max_size=sizes[role], timeout_seconds=2) for role, url in urls.items()},
        queues={name: open_queue(settings.queue_url.get_secret_value(), name=name) for name in SYSTEMS},
        box=SecretBox.from_settings(settings) if has_key else None,
        registry=CollectorRegistry(),
        objects=lambda: shared_objects(settings.required("objects_url")),
        rates=rate_store(settings),
    )


# What needs the database and who asks, and nothing else.
OVER_THE_API = (subscriptions_routes, searches_routes, watching_routes, pauses_routes, audit_routes, people_routes, tokens_routes)


def now() -> datetime:
    return datetime.now(UTC)


def create_app(settings: Settings, parts: Parts, *, clock: Clock = now) -> FastAPI:
    """The application over its parts, which it opens and closes with its life. `clock` tells when requests arrive."""
    metrics = ProcessMetrics(parts.registry, systems=SYSTEMS)
    limits = limits_of(settings, parts, metrics)
    intake = intake_service(settings, parts, metrics, limits)
    connecting = connecting_of(settings, parts)
    still, known = callers_of(settings, parts, limits)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        await intake.start()
        try:
            yield
        finally:
            await intake.stop()
            if connecting is not None:
                connecting.close()
            close(parts)

    app = Bridge(
        title="Zixly bridge",
        description=ABOUT,
        version="1",
        lifespan=life,
        docs_url=None,  # Swagger's page loads its code from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    around = put_around(app, settings, metrics)
    receivers = receivers_of(
        parts.systems, intake, public_url=settings.bridge_public_url, max_body_bytes=settings.max_body_bytes, clock=clock
    )
    app.put_in_front(Deliveries({path: one for path, one in receivers.items() if "{" not in path}), around)
    handle_problems(app)
    show_problems(app, can_sign_in=settings.oidc_issuer is not None)
    public_url = settings.bridge_public_url
    judge = judge_of(known)
    places = Places(bridge=public_url, runbook=settings.runbook_url)
    reverifier = Reverifier(intake, systems=parts.systems, box=parts.box)
    api = parts.databases["api"]
    sign_in = sign_in_of(settings, api)
    scraped = scrape_registry(parts.registry, PipelineCollector(parts.databases["metrics"], parts.queues, Watched.of(settings)))
    take(
        app.router,
        receive_routes(receivers),
        gateway_routes(judge),
        exports_routes(api, listings=listings(places), caller_of=known),
        deliveries_routes(api, reverifier=reverifier, box=parts.box, objects=parts.objects, caller_of=known),
        jobs_routes(api, dagster_url=settings.dagster_webserver_url, caller_of=known, announce=intake.announce),
        trace_routes(api, parts.databases["metrics"], dagster_url=settings.dagster_webserver_url, caller_of=known),
        replays_routes(api, caller_of=known, announce=intake.announce),
        reconciliations_routes(api, caller_of=known, announce=intake.announce),
        connect_routes(connecting, caller_of=known, public_url=public_url, can_sign_in=sign_in is not None),
        backfills_routes(api, dagster_url=settings.dagster_webserver_url, caller_of=known),
        connections_routes(api, connecting, caller_of=known, public_url=public_url),
        notifications_routes(api, parts.box, settings=settings, caller_of=known),
        priorities_routes(api, caller_of=known, announce=intake.announce),
        sign_in_routes(sign_in, limits=limits, settings=settings, database=api),
        issues_routes(api, caller_of=known, announce=intake.announce, places=places),
        tenants_routes(api, objects=parts.objects, caller_of=known),
        console_routes(
            ConsoleParts(
                settings=settings,
                api=api,
                metrics=parts.databases["metrics"],
                queues=parts.queues,
                box=parts.box,
                objects=parts.objects,
                connecting=connecting,
                reverifier=reverifier,
                places=places,
                caller_of=known,
                still=still,
                announce=intake.announce,
            )
        ),
        *(routes(api, caller_of=known) for routes in OVER_THE_API),
        health_routes(parts.databases, parts.queues, registry=scraped, door=MetricsDoor.of(settings)),
    )
    check_guarded(app, known, judge)
    return app


def put_around(app: FastAPI, settings: Settings, metrics: ProcessMetrics) -> Callable[[ASGIApp], ASGIApp]:
    """What every request passes before it comes to a route; the last one added is the outermost, and is given back for what stands in
    front of the routes."""
    own_site = OwnSite.of(settings.bridge_public_url, settings.cors_origins)
    app.add_middleware(CorsForApi, origins=own_site.others)
    app.add_middleware(Bounded)
    around = partial(Around, metrics=metrics, proxies=TrustedProxies.of(settings.trusted_proxies), own_site=own_site)
    app.add_middleware(around)
    return around


def callers_of(settings: Settings, parts: Parts, limits: Limits) -> tuple[Callable[[Request], Caller], Callable[[Request], Caller]]:
    """Who asks: once without counting, and once as every request is counted."""
    still = caller_of(settings, authenticators_of(settings, database=parts.databases["api"]))
    return still, limited(still, limits)


def limits_of(settings: Settings, parts: Parts, metrics: ProcessMetrics) -> Limits:
    unavailable = metrics.rates_unavailable
    limiter = RateLimiter(parts.rates, on_unavailable=lambda rate: unavailable.labels(rate.name).inc())
    return Limits(limiter, settings=settings, metrics=metrics)


def intake_service(settings: Settings, parts: Parts, metrics: ProcessMetrics, limits: Limits) -> IntakeService:
    return IntakeService(
        IntakeParts(
            database=parts.intake,
            routing=RoutingSnapshot(parts.intake, box=parts.box),
            announcer=Announcer(parts.queues, metrics=metrics),
            metrics=metrics,
            limits=limits,
            app_secrets=AppSecrets(settings, parts.systems),
            box=parts.box,
        )
    )


def connecting_of(settings: Settings, parts: Parts) -> Connecting | None:
    """How accounts are connected; None without a key to seal what that gives."""
    if parts.box is None:
        return None
    return Connecting(parts.databases["api"], settings=settings, box=parts.box, vault=open_vault(settings))


def sign_in_of(settings: Settings, database: Database) -> SignIn | None:
    """How people sign in; None where no provider is set."""
    provider = provider_of(settings)
    if provider is None:
        return None
    origins = {origin_of(url) for url in (settings.bridge_public_url, settings.dagster_webserver_url)}
    return SignIn(provider, database, public_url=settings.bridge_public_url, origins=origins)


def close(parts: Parts) -> None:
    for database in parts.databases.values():
        database.close()
    for queue in parts.queues.values():
        queue.close()
    parts.rates.close()
