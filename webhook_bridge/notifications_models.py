"""What the routes about notifications take and answer."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from webhook_bridge.models import Model
from webhook_bridge.payload_fields import PAYLOAD, PayloadsHidden

Want = Literal["opened", "reminder", "resolved"]
LineStatus = Literal["PENDING", "SENT", "FAILED", "DROPPED"]
Wants = Annotated[
    list[Want], Field(description="What the channel is told of an issue: when it opens, once more while nobody took it on, its end.")
]
DigestAt = Annotated[time | None, Field(description="When the nightly digest comes, such as `06:30`, by the tenant's clock; null: never.")]
Name = Annotated[str, Field(description="What people call the channel.", min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Target = Annotated[
    SecretStr,
    Field(
        description="E-mail addresses, separated by commas; or the address of an incoming webhook of Slack, which nobody can read back.",
        min_length=1,
        max_length=2_000,
    ),
]


class NewChannel(BaseModel):
    """A channel that is to be set up."""

    model_config = ConfigDict(extra="forbid")

    tenant: str | None = Field(
        default=None, description="The tenant's short name; null: the agency's own staff, who are told of all tenants.", max_length=100
    )
    kind: Literal["email", "slack"]
    name: Name
    target: Target
    wants: Wants = ["opened", "reminder", "resolved"]
    digest_at: DigestAt = None


class ChannelChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    target: Target | None = None
    wants: Wants | None = None
    digest_at: DigestAt = None
    is_paused: bool | None = Field(
        default=None, description="A paused channel gets nothing, and is not told later what happened meanwhile."
    )


class ChannelModel(Model):
    """A channel."""

    id: UUID
    tenant: str | None = Field(description="The tenant's short name; null: the agency's own.")
    kind: str = Field(description="email or slack.")
    name: str
    address: Annotated[str | None, PAYLOAD] = Field(description="E-mail addresses; of Slack's address, which is a secret, only the host.")
    wants: list[Want]
    digest_at: time | None
    paused_at: datetime | None
    not_before: datetime | None = Field(description="The other side failed or asked for a pause; it is tried again then.")
    waiting: int = Field(description="What is due and not sent yet.")
    sent: int = Field(description="Messages so far.")
    failed: int = Field(description="Messages that were given up.")
    created_at: datetime
    payloads_hidden: PayloadsHidden = False


class ChannelList(Model):
    """Channels, the agency's own first."""

    channels: list[ChannelModel]


class NotificationModel(Model):
    """One thing that a channel was told, is to be, or was not and why. Those with one `message_id` went into one message."""

    id: UUID
    channel_id: UUID
    channel: str
    channel_kind: str
    tenant: str | None = Field(description="Whom it is about.")
    kind: str = Field(description="opened, reminder, resolved, digest or test.")
    issue_id: UUID | None
    day: date | None = Field(description="Of a digest.")
    status: LineStatus
    reason: str | None = Field(description="A machine word: why it was not sent, or not yet.")
    attempts: int
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    message_id: UUID | None


class NotificationList(Model):
    """What was told, newest first."""

    notifications: list[NotificationModel]
