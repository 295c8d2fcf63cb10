"""`/api/connections/{id}/subscriptions`: what a connection listens to at its vendor, and the wish for more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from webhook_bridge.problems import problems
from webhook_bridge.signed_in import Caller
from zixly_core.stores.database import Database
from zixly_core.stores.jobs_view import scoped
from zixly_core.stores.subscriptions import OF_CONNECTION_SQL
from zixly_core.stores.wishes import wish


class NewSubscription(BaseModel):
    """A webhook that somebody wishes for."""

    model_config = ConfigDict(extra="forbid")

    resource: str = Field(description="What is listened to: the gid of a project at Asana.", pattern=r"^\d{1,30}$")


class Subscription(BaseModel):
    """A webhook of a connection."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    system: str
    resource: str | None
    topic: str | None
    external_id: str | None = Field(description="What the vendor calls it, once it is made.")
    status: str = Field(description="WANTED, PENDING (its handshake is awaited), ACTIVE or GONE.")
    created_at: datetime
    last_seen_at: datetime | None = Field(description="When a delivery last came.")


class SubscriptionList(BaseModel):
    """The webhooks of a connection that have not ended, oldest first."""

    subscriptions: list[Subscription]


class Wished(BaseModel):
    """What became of a wish."""

    id: UUID
    status: str


@dataclass(frozen=True)
class Subscriptions:
    """Webhooks of connections, for callers of the API; `database` is seen as role `api`."""

    database: Database

    def of(self, caller: Caller, connection_id: UUID) -> SubscriptionList:
        with scoped(self.database, caller.scope) as rows:
            return SubscriptionList.model_validate({"subscriptions": list(rows.execute(OF_CONNECTION_SQL, (connection_id,)))})

    def wish(self, caller: Caller, connection_id: UUID, wanted: NewSubscription) -> Wished:
        with scoped(self.database, caller.scope) as rows:
            wish_id, status = wish(rows, connection_id=connection_id, resource=wanted.resource, topic=None, actor=caller.name)
        return Wished(id=wish_id, status=status)


def subscriptions_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(tags=["connections"])
    signed_in = Depends(caller_of)
    every = Subscriptions(database)

    @router.get("/api/connections/{connection_id}/subscriptions", responses=problems(401, 422, 503))
    def subscriptions(connection_id: UUID, caller: Caller = signed_in) -> SubscriptionList:
        """What a connection listens to, where each webhook is made by a call."""
        return every.of(caller, connection_id)

    @router.post("/api/connections/{connection_id}/subscriptions", status_code=202, responses=problems(400, 401, 422, 503))
    def make(connection_id: UUID, wanted: NewSubscription, caller: Caller = signed_in) -> Wished:
        """Wish for the webhook of a resource; a worker makes it within seconds. Wishing twice makes one."""
        return every.wish(caller, connection_id, wanted)

    return router
