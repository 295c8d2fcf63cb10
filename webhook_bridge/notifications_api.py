"""`/api/notification-channels` and `/api/notifications`: who is told of what, and what was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import SecretStr

from webhook_bridge.notifications_models import (
    ChannelChange,
    ChannelList,
    ChannelModel,
    LineStatus,
    NewChannel,
    NotificationList,
    NotificationModel,
)
from webhook_bridge.payload_fields import shown
from webhook_bridge.problems import NotFound, problems
from webhook_bridge.signed_in import Caller
from zixly_core.errors import NotAllowed, SettingsError
from zixly_core.ids import new_id
from zixly_core.notifications.email import recipients_in
from zixly_core.notifications.slack import host_of, slack_target
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.stores import notification_channels as store
from zixly_core.stores.connections_admin import tenant_named
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import Page, scoped


@dataclass(frozen=True)
class LineFilter:
    """Which lines of the outbox are wanted; None leaves a question open."""

    channel_id: UUID | None = None
    issue_id: UUID | None = None
    tenant: str | None = None
    status: LineStatus | None = None


def wanted_lines(
    *,
    channel_id: Annotated[UUID | None, Query(description="Only what this channel was told.")] = None,
    issue_id: Annotated[UUID | None, Query(description="Only what was told of this issue.")] = None,
    tenant: Annotated[str | None, Query(description="A tenant's short name.")] = None,
    status: Annotated[LineStatus | None, Query(description="Only what stands there.")] = None,
) -> LineFilter:
    return LineFilter(channel_id, issue_id, tenant, status)


def lines_page(rows: Rows, wanted: LineFilter, *, page: Page) -> list[store.LineView]:
    return store.lines_seen(rows, **vars(wanted), page=page)


@dataclass(frozen=True)
class Channels:
    """Who is told of what, for callers of the API; `database` is seen as role `api`, `box` seals addresses that are secrets."""

    database: Database
    box: SecretBox | None
    settings: Settings

    def seen(self, caller: Caller, *, tenant: str | None = None) -> ChannelList:
        with scoped(self.database, caller.scope) as rows:
            found = store.channels_seen(rows, tenant=tenant)
        return shown(ChannelList(channels=[model_of(one) for one in found]), sees_payloads=caller.sees_payloads)

    def add(self, caller: Caller, wanted: NewChannel) -> ChannelModel:
        channel_id = new_id()
        with scoped(self.database, caller.scope) as rows:
            made = store.NewChannel(
                id=channel_id,
                tenant_id=owner_of(rows, wanted.tenant, caller),
                kind=wanted.kind,
                name=wanted.name,
                **self._target(wanted.kind, wanted.target, channel_id=channel_id),
                wants=wanted.wants,
                digest_at=wanted.digest_at,
            )
            store.add_channel(rows, made, actor=caller.name)
            return model_of(one_channel(rows, channel_id))

    def change(self, caller: Caller, channel_id: UUID, wanted: ChannelChange) -> ChannelModel:
        with scoped(self.database, caller.scope) as rows:
            known = one_channel(rows, channel_id)
            changes = wanted.model_dump(exclude_unset=True, exclude={"target", "is_paused"})
            changes = {name: value for name, value in changes.items() if value is not None or name == "digest_at"}
            if wanted.target is not None:
                changes |= self._target(known.kind, wanted.target, channel_id=channel_id)
            if wanted.is_paused is not None:
                changes["paused_at"] = (known.paused_at or datetime.now(UTC)) if wanted.is_paused else None
            store.change_channel(rows, known, changes, actor=caller.name)
            return model_of(one_channel(rows, channel_id))

    def remove(self, caller: Caller, channel_id: UUID) -> ChannelModel:
        with scoped(self.database, caller.scope) as rows:
            known = one_channel(rows, channel_id)
            store.remove_channel(rows, known, actor=caller.name)
        return model_of(known)

    def test(self, caller: Caller, channel_id: UUID) -> NotificationModel:
        with scoped(self.database, caller.scope) as rows:
            line_id = store.ask_for_trial(rows, one_channel(rows, channel_id), actor=caller.name)
            (line,) = store.lines_seen(rows, line_id=line_id)
        return NotificationModel.model_validate(line, from_attributes=True)

    def lines(self, caller: Caller, wanted: LineFilter, *, limit: int = 50) -> NotificationList:
        with scoped(self.database, caller.scope) as rows:
            found = lines_page(rows, wanted, page=Page(limit))
        return NotificationList(notifications=[NotificationModel.model_validate(one, from_attributes=True) for one in found])

    def _target(self, kind: str, target: SecretStr, *, channel_id: UUID) -> dict[str, Any]:
        """The columns that say where messages go. Raises `Rejected`, and `SettingsError` where there is no key to seal with."""
        text = target.get_secret_value().strip()
        if kind == "email":
            return {"address": ", ".join(recipients_in(text)), "secret": None}
        if self.box is None:
            raise SettingsError("Slack's addresses cannot be kept: set ZIXLY_SECRETS_KEY_FILE or ZIXLY_SECRETS_KEY, which seal them")
        url = slack_target(text, self.settings)
        return {"address": host_of(url), "secret": self.box.seal(url.encode(), context=str(channel_id))}


def notifications_routes(
    database: Database, box: SecretBox | None, *, settings: Settings, caller_of: Callable[[Request], Caller]
) -> APIRouter:
    """The routes; `database` is seen as role `api`, `box` seals addresses that are secrets."""
    router = APIRouter(prefix="/api", tags=["notifications"])
    signed_in, filtered = Depends(caller_of), Depends(wanted_lines)
    every = Channels(database, box, settings)

    @router.get("/notification-channels", responses=problems(401, 422, 503))
    def channels(
        tenant: Annotated[str | None, Query(description="A tenant's short name.")] = None, caller: Caller = signed_in
    ) -> ChannelList:
        """Who is told of what."""
        return every.seen(caller, tenant=tenant)

    @router.post("/notification-channels", status_code=201, responses=problems(400, 401, 403, 404, 422, 503))
    def add(wanted: NewChannel, caller: Caller = signed_in) -> ChannelModel:
        """Set a channel up. Its address is checked and, where it is a secret, sealed; `test` shows whether messages get there."""
        return every.add(caller, wanted)

    @router.patch("/notification-channels/{channel_id}", responses=problems(400, 401, 403, 404, 422, 503))
    def change(channel_id: UUID, wanted: ChannelChange, caller: Caller = signed_in) -> ChannelModel:
        """Change a channel, pause it or let it go on."""
        return every.change(caller, channel_id, wanted)

    @router.delete("/notification-channels/{channel_id}", responses=problems(401, 403, 404, 422, 503))
    def remove(channel_id: UUID, caller: Caller = signed_in) -> ChannelModel:
        """Remove a channel and forget its address; answers with what it was. What was sent there stays in the log."""
        return every.remove(caller, channel_id)

    @router.post("/notification-channels/{channel_id}/test", status_code=202, responses=problems(401, 403, 404, 422, 503))
    def test(channel_id: UUID, caller: Caller = signed_in) -> NotificationModel:
        """Send one message there; it goes the way of all, through the outbox and a worker. `GET /api/notifications` tells how it went."""
        return every.test(caller, channel_id)

    @router.get("/notifications", responses=problems(401, 422, 503))
    def notifications(
        *,
        wanted: LineFilter = filtered,
        limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 50,
        caller: Caller = signed_in,
    ) -> NotificationList:
        """What was told, is to be told, or was not and why; newest first."""
        return every.lines(caller, wanted, limit=limit)

    return router


def owner_of(rows: Rows, slug: str | None, caller: Caller) -> UUID | None:
    """Whose the new channel is. Raises `NotAllowed` where somebody of a tenant asks for a channel of the agency's."""
    if slug is None:
        if not caller.scope.is_staff:
            raise NotAllowed("Name the tenant: channels without one are told of all tenants, and are for the agency's staff.")
        return None
    tenant = tenant_named(rows, slug)
    if tenant is None:
        raise NotFound(f"There is no tenant {slug}, or it is not yours to see.")
    return tenant.id


def one_channel(rows: Rows, channel_id: UUID) -> store.ChannelView:
    found = store.channels_seen(rows, channel_id=channel_id)
    if not found:
        raise NotFound(f"There is no channel {channel_id}, or it is not yours to see.")
    return found[0]


def model_of(channel: store.ChannelView) -> ChannelModel:
    return ChannelModel.model_validate(channel, from_attributes=True)
