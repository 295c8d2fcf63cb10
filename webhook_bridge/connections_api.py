"""Connections under `/api/`: what is connected and how well, and how accounts are set up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from webhook_bridge.models import Model
from webhook_bridge.problems import NotFound, problems
from webhook_bridge.signed_in import Caller
from zixly_core.connecting import Connecting
from zixly_core.connection_settings import validated
from zixly_core.errors import SettingsError
from zixly_core.stores.connections_admin import ConnectionView, connection_views, save_settings
from zixly_core.stores.database import Database
from zixly_core.stores.issues import reconnect_path
from zixly_core.stores.jobs_view import scoped

SystemName = Annotated[str, Path(description="Such as `xero`.", max_length=40)]


class ConnectionModel(Model):
    """A tenant's account at a system, with what is known about its authorisation."""

    id: UUID
    tenant: str = Field(description="The tenant's short name.")
    system: str
    external_id: str = Field(description="A Xero organisation, a HubSpot portal, a Shopify shop, an Asana workspace.")
    name: str
    status: str = Field(description="ACTIVE or DISCONNECTED.")
    health: str = Field(description="`well`, or the first thing that holds its jobs back: disconnected, paused, parked.")
    paused_at: datetime | None
    parked_until: datetime | None
    parked_reason: str | None
    grant_id: UUID | None = Field(description="Connections with the same one were allowed by one consent and share its tokens.")
    version: int | None = Field(description="Rises with each exchange of tokens and each new consent.")
    token_expires_at: datetime | None = Field(description="When the access token ends; the next call renews it.")
    refreshed_at: datetime | None = Field(description="When the vendor last gave tokens.")
    watched_at: datetime | None = Field(description="When its webhooks were last looked at.")
    watch_state: str | None = Field(
        description="What that came to: well, mended, lost, silent, failing, or unknown; null where nobody looked yet."
    )
    settings: dict[str, Any]
    created_at: datetime
    reconnect: str = Field(description="The page where a person authorises the account again.")


class ConnectionList(Model):
    """Connections by tenant, system and name."""

    connections: list[ConnectionModel]


class NewConsent(BaseModel):
    """For whom, or which connection, an account is to be authorised."""

    model_config = ConfigDict(extra="forbid")

    tenant: str | None = Field(default=None, description="The tenant's short name.", max_length=100)
    connection_id: UUID | None = Field(default=None, description="A connection that is to be authorised again.")
    account: str | None = Field(default=None, description="The account that it must be; for Shopify the shop.", max_length=200)
    own: bool = Field(default=False, description="A Shopify shop of the app's owner: no consent, the app's own credentials are used.")


class ConsentModel(Model):
    """How far a consent has come."""

    id: UUID
    status: str = Field(description="INVITED, ASKED, ANSWERED, CHOOSING, then DONE or FAILED.")
    link: str | None = Field(default=None, description="The page to open, once, by whoever may consent. Told only when it is made.")
    expires_at: datetime
    reason: str | None = Field(description="A machine word when it failed.")
    message: str | None = Field(description="Why it failed, in words.")
    connection_ids: list[UUID]


@dataclass(frozen=True)
class ConnectionFilter:
    """Which connections are wanted; None leaves a question open."""

    tenant: str | None = None
    system: str | None = None


def wanted_connections(
    *,
    tenant: Annotated[str | None, Query(description="A tenant's short name.")] = None,
    system: Annotated[str | None, Query(description="Such as `xero`.")] = None,
) -> ConnectionFilter:
    return ConnectionFilter(tenant, system)


def connections_routes(
    database: Database, connecting: Connecting | None, *, caller_of: Callable[[Request], Caller], public_url: str
) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(prefix="/api")
    base = public_url.rstrip("/")
    signed_in, filtered = Depends(caller_of), Depends(wanted_connections)

    def opened() -> Connecting:
        if connecting is None:
            raise SettingsError("Accounts cannot be connected: set ZIXLY_SECRETS_KEY_FILE or ZIXLY_SECRETS_KEY, which seal their tokens")
        return connecting

    @router.get("/connections", tags=["connections"], responses=problems(401, 422, 503))
    def connections(wanted: ConnectionFilter = filtered, caller: Caller = signed_in) -> ConnectionList:
        """What is connected, with the health of each authorisation."""
        with scoped(database, caller.scope) as rows:
            views = connection_views(rows, tenant=wanted.tenant, system=wanted.system)
        return ConnectionList(connections=[connection_model(view, base=base) for view in views])

    @router.put("/connections/{connection_id}/settings", tags=["connections"], responses=problems(400, 401, 403, 404, 422, 503))
    def change_settings(connection_id: UUID, settings: dict[str, Any], caller: Caller = signed_in) -> ConnectionModel:
        """Replace a connection's settings, after checking them; what they were is not kept, who changed which fields is."""
        with scoped(database, caller.scope) as rows:
            view = one_view(connection_views(rows, connection_id=connection_id), connection_id)
            save_settings(rows, connection_id, validated(view.system, settings), actor=caller.name)
            changed = connection_views(rows, connection_id=connection_id)
        return connection_model(one_view(changed, connection_id), base=base)

    @router.post("/connect/{system}", tags=["connections"], responses=problems(400, 401, 403, 422, 503))
    def invite(system: SystemName, wanted: NewConsent, caller: Caller = signed_in) -> ConsentModel:
        """Begin to connect an account: a link for whoever may consent at the vendor, good once and for half an hour."""
        if wanted.own:
            done = opened().connect_own(
                system, scope=caller.scope, actor=caller.name, tenant=wanted.tenant or "", account=wanted.account or ""
            )
            return consent_model(opened(), done.consent.id, caller)
        invitation = opened().invite(
            system,
            scope=caller.scope,
            actor=caller.name,
            tenant=wanted.tenant,
            connection_id=wanted.connection_id,
            account=wanted.account,
        )
        begun = consent_model(opened(), invitation.id, caller)
        return begun.model_copy(update={"link": f"{base}/connect/{system}?ticket={invitation.ticket}"})

    @router.get("/consents/{consent_id}", tags=["connections"], responses=problems(401, 404, 422, 503))
    def consent(consent_id: UUID, caller: Caller = signed_in) -> ConsentModel:
        """How far a consent has come."""
        return consent_model(opened(), consent_id, caller)

    return router


def consent_model(connecting: Connecting, consent_id: UUID, caller: Caller) -> ConsentModel:
    consent = connecting.progress(consent_id, scope=caller.scope)
    if consent is None:
        raise NotFound(f"There is no consent {consent_id}; they are forgotten after a day.")
    return ConsentModel.model_validate(consent, from_attributes=True)


def one_view(views: list[ConnectionView], connection_id: UUID) -> ConnectionView:
    if not views:
        raise NotFound(f"There is no connection {connection_id}, or it is not yours to see.")
    return views[0]


def connection_model(view: ConnectionView, *, base: str) -> ConnectionModel:
    document = asdict(view) | {"health": view.health, "reconnect": base + reconnect_path(view.system, view.id)}
    return ConnectionModel.model_validate(document)
