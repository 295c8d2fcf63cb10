"""`/health` (alive), `/ready` (able to take deliveries), `/metrics`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import BaseModel, Field

from webhook_bridge.metrics_door import MetricsDoor
from webhook_bridge.problems import problems
from zixly_core.errors import ZixlyError
from zixly_core.queue import Queue
from zixly_core.stores.database import Database
from zixly_core.stores.pipeline_counts import oldest_due_seconds

SCRAPED: dict[int | str, dict[str, object]] = {
    200: {"description": "Prometheus' text format; docs/metrics.md explains it.", "content": {"text/plain": {}}}
}


class Alive(BaseModel):
    """The process answers; nothing else was asked."""

    status: Literal["alive"] = "alive"


class Check(BaseModel):
    """One thing that was tried."""

    name: str = Field(description="`postgres-<role>` or `queue-<system>`.")
    ok: bool
    needed: bool = Field(description="Whether deliveries cannot be taken without it.")
    reason: str | None = Field(default=None, description="A machine word when it failed.")


class Readiness(BaseModel):
    """`ready`; `degraded`: deliveries are taken, something else fails; `unready`: deliveries cannot be taken."""

    status: Literal["ready", "degraded", "unready"]
    oldest_due_seconds: float | None = Field(description="How long the oldest due job has been waiting; null when not known.")
    checks: list[Check]


def readiness_of(databases: Mapping[str, Database], queues: Mapping[str, Queue]) -> Readiness:
    """Try everything, side by side. A queue that is away only degrades: deliveries are kept without it, so a load balancer must
    not turn their senders away."""
    tries: list[tuple[str, bool, Callable[[], object]]] = [
        *((f"postgres-{role}", True, answering(database)) for role, database in databases.items()),
        *((f"queue-{system}", False, queue.depth) for system, queue in queues.items()),
    ]
    with ThreadPoolExecutor(max_workers=len(tries) or 1, thread_name_prefix="ready") as pool:
        checks = list(pool.map(lambda one: checked(*one), tries))
    return Readiness(status=status_of(checks), oldest_due_seconds=oldest_due(databases.get("metrics")), checks=checks)


def answering(database: Database) -> Callable[[], object]:
    def ask() -> object:
        with database.transaction() as connection:
            return connection.execute("select 1").fetchone()

    return ask


def checked(name: str, needed: bool, attempt: Callable[[], object]) -> Check:
    try:
        attempt()
    except ZixlyError as error:
        return Check(name=name, ok=False, needed=needed, reason=error.reason)
    return Check(name=name, ok=True, needed=needed)


def status_of(checks: Sequence[Check]) -> Literal["ready", "degraded", "unready"]:
    if any(one.needed and not one.ok for one in checks):
        return "unready"
    return "ready" if all(one.ok for one in checks) else "degraded"


def oldest_due(database: Database | None) -> float | None:
    if database is None:
        return None
    try:
        return round(oldest_due_seconds(database), 3)
    except ZixlyError:
        return None


def health_routes(
    databases: Mapping[str, Database], queues: Mapping[str, Queue], *, registry: CollectorRegistry, door: MetricsDoor
) -> APIRouter:
    """The routes for machines. `databases` by role, `registry` is what a scrape sees, `door` who may."""
    router = APIRouter(tags=["health"])

    @router.get("/health")
    async def health() -> Alive:
        """Alive: answers without asking anything else."""
        return Alive()

    @router.get("/ready", responses={503: {"model": Readiness, "description": "Deliveries cannot be taken now."}})
    def ready(response: Response) -> Readiness:
        """Ready: asks the database as each role, and each queue."""
        readiness = readiness_of(databases, queues)
        response.status_code = 503 if readiness.status == "unready" else 200
        return readiness

    @router.get(
        "/metrics",
        response_class=Response,
        responses={**SCRAPED, **problems(401)},
    )
    def metrics(request: Request) -> Response:
        """Figures for Prometheus, of this bridge and of the whole pipeline. Takes the token of `ZIXLY_METRICS_TOKEN` where one is set."""
        door.let_in(request)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
