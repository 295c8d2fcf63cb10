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
from zixly_core.stores.database import Database, Rows
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


@dataclass(frozen=True)
class Connections:
    """What is connected, for callers of the API; `database` is seen as role `api`, `base` is the bridge's public address."""

    database: Database
    connecting: Connecting | None
    base: str

    def seen(self, caller: Caller, *, tenant: str | None = None, system: str | None = None) -> ConnectionList:
        with scoped(self.database, caller.scope) as rows:
            views = connection_views(rows, tenant=tenant, system=system)
        return ConnectionList(connections=[connection_model(view, base=self.base) for view in views])

    def one(self, caller: Caller, connection_id: UUID) -> ConnectionModel:
        with scoped(self.database, caller.scope) as rows:
            return self._model(rows, connection_id)

    def change_settings(self, caller: Caller, connection_id: UUID, settings: dict[str, Any]) -> ConnectionModel:
        with scoped(self.database, caller.scope) as rows:
            view = one_view(connection_views(rows, connection_id=connection_id), connection_id)
            save_settings(rows, connection_id, validated(view.system, settings), actor=caller.name)
            return self._model(rows, connection_id)

    def invite(self, caller: Caller, system: str, wanted: NewConsent) -> ConsentModel:
        if wanted.own:
            tenant, account = wanted.tenant or "", wanted.account or ""
            done = self._opened().connect_own(system, scope=caller.scope, actor=caller.name, tenant=tenant, account=account)
            return self.consent(caller, done.consent.id)
        invitation = self._opened().invite(
            system,
            scope=caller.scope,
            actor=caller.name,
            tenant=wanted.tenant,
            connection_id=wanted.connection_id,
            account=wanted.account,
        )
        begun = self.consent(caller, invitation.id)
        return begun.model_copy(update={"link": f"{self.base}/connect/{system}?ticket={invitation.ticket}"})

    def consent(self, caller: Caller, consent_id: UUID) -> ConsentModel:
        return consent_model(self._opened(), consent_id, caller)

    def _model(self, rows: Rows, connection_id: UUID) -> ConnectionModel:
        return connection_model(one_view(connection_views(rows, connection_id=connection_id), connection_id), base=self.base)

    def _opened(self) -> Connecting:
        if self.connecting is None:
            raise SettingsError("Accounts cannot be connected: set ZIXLY_SECRETS_KEY_FILE or ZIXLY_SECRETS_KEY, which seal their tokens")
        return self.connecting


def connections_routes(
    database: Database, connecting: Connecting | None, *, caller_of: Callable[[Request], Caller], public_url: str
) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(prefix="/api")
    signed_in, filtered = Depends(caller_of), Depends(wanted_connections)
    every = Connections(database, connecting, public_url.rstrip("/"))

    @router.get("/connections", tags=["connections"], responses=problems(401, 422, 503))
    def connections(wanted: ConnectionFilter = filtered, caller: Caller = signed_in) -> ConnectionList:
        """What is connected, with the health of each authorisation."""
        return every.seen(caller, tenant=wanted.tenant, system=wanted.system)

    @router.put("/connections/{connection_id}/settings", tags=["connections"], responses=problems(400, 401, 403, 404, 422, 503))
    def change_settings(connection_id: UUID, settings: dict[str, Any], caller: Caller = signed_in) -> ConnectionModel:
        """Replace a connection's settings, after checking them; what they were is not kept, who changed which fields is."""
        return every.change_settings(caller, connection_id, settings)

    @router.post("/connect/{system}", tags=["connections"], responses=problems(400, 401, 403, 422, 503))
    def invite(system: SystemName, wanted: NewConsent, caller: Caller = signed_in) -> ConsentModel:
        """Begin to connect an account: a link for whoever may consent at the vendor, good once and for half an hour."""
        return every.invite(caller, system, wanted)

    @router.get("/consents/{consent_id}", tags=["connections"], responses=problems(401, 404, 422, 503))
    def consent(consent_id: UUID, caller: Caller = signed_in) -> ConsentModel:
        """How far a consent has come."""
        return every.consent(caller, consent_id)

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
