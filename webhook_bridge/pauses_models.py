"""What the routes about pauses and priorities take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from webhook_bridge.models import Model
from zixly_core.stores.pauses import PausedKind
from zixly_core.stores.priorities import PriorityName


class NewPause(BaseModel):
    """What is to be paused."""

    model_config = ConfigDict(extra="forbid")

    what: PausedKind
    name: str = Field(description="A tenant's short name, a system's, a workflow's, or a connection's id.", max_length=200)
    reason: str | None = Field(default=None, description="Why, for whoever looks next. No personal data.", max_length=500)
    until: AwareDatetime | None = Field(default=None, description="When it ends by itself; without it somebody has to end it.")


class PauseModel(Model):
    """What is paused now."""

    kind: PausedKind
    name: str = Field(description="What it is paused and resumed by.")
    tenant: str | None = Field(description="Whose it is; null for systems and workflows, which concern all tenants.")
    title: str | None = Field(description="A connection's system and name.")
    source: Literal["person", "switch"] = Field(description="`switch`: its sensor is switched off in the Dagster UI.")
    reason: str | None
    actor: str
    paused_at: datetime
    until: datetime | None


class PauseList(Model):
    """Pauses, the oldest first."""

    pauses: list[PauseModel]


class Resumed(Model):
    """What a resumption came to."""

    resumed: bool = Field(description="False when it was not paused.")


class NewPriority(BaseModel):
    """A priority, or none: then the next wider choice holds, and in the end the code's."""

    model_config = ConfigDict(extra="forbid")

    priority: PriorityName | None


class JobPriority(BaseModel):
    """A priority for one job."""

    model_config = ConfigDict(extra="forbid")

    priority: PriorityName


class PriorityModel(Model):
    """A choice that holds."""

    kind: Literal["workflow", "tenant"]
    workflow: str | None
    tenant: str | None = Field(description="Null for a choice about a workflow of all tenants.")
    priority: PriorityName


class PriorityList(Model):
    """All choices that hold."""

    priorities: list[PriorityModel]


class ReorderedModel(Model):
    """What a change came to."""

    waiting_jobs: int = Field(description="How many waiting jobs took the new priority.")
