"""Answers about webhooks that are looked after: checks, and times for which events are missing."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from webhook_bridge.models import Model

HoleStatus = Literal["OPEN", "RECOVERED"]


class HoleModel(Model):
    """A time for which events of an account are missing, and what was made good."""

    id: UUID = Field(description="Jobs that were made for it have it as `made_by`.")
    tenant: str = Field(description="The tenant's short name.")
    connection_id: UUID
    connection: str = Field(description="The connection's name.")
    system: str
    kind: str = Field(description="How it was seen: sequence, subscription, silence or missed.")
    status: HoleStatus = Field(description="OPEN until all of it is made good, and as long as it goes on.")
    since: datetime
    until: datetime | None = Field(description="Not known while it goes on.")
    first_sequence: int | None = Field(description="The first number that never came, where the sender numbers its events.")
    last_sequence: int | None
    resource: str | None = Field(description="What the lost subscription was about, where each has something of its own.")
    found_at: datetime
    recovered_to: datetime | None = Field(description="Everything up to then is made good.")
    recovered_at: datetime | None
    objects: int = Field(description="Records that changed at the source within it.")
    jobs: int = Field(description="Jobs that were made, for the records that no other job covered.")
    reason: str | None = Field(description="A machine word, when the last try to make it good failed.")


class HoleList(Model):
    """Holes, the latest found first."""

    holes: list[HoleModel]
    next_cursor: str | None = None


class CheckModel(Model):
    """One look at a connection's webhooks."""

    id: UUID
    at: datetime
    state: str = Field(description="well, mended, lost, silent, failing, or unknown: the vendor could not be asked.")
    findings: dict[str, int | str] = Field(description="Counts: lost, made, missed, recovered; `reason` where it is unknown.")


class CheckList(Model):
    """Checks of a connection, the latest first."""

    checks: list[CheckModel]


class CheckAsked(Model):
    """A check that a worker makes within seconds: the connection's `watched_at` is later than `wanted_at` then."""

    connection_id: UUID
    wanted_at: datetime
