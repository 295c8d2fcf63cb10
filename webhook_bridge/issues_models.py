"""What `/api/issues` takes and answers with."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from webhook_bridge.models import Model

IssueStatus = Literal["OPEN", "ACKNOWLEDGED", "RESOLVED", "IGNORED"]


class IssueModel(Model):
    """Failures with one cause: what a person must do."""

    id: UUID
    tenant: str = Field(description="The tenant's short name.")
    system: str = Field(description="Who was asked; where nobody was, the system of the workflow.")
    operation: str = Field(description="What for, in words; where nobody was asked, the workflow.")
    reason: str = Field(description="A machine word.")
    connection_id: UUID | None
    title: str
    link: str | None = Field(description="Where it can be mended.")
    runbook: str = Field(description="The section of the runbook about the reason.")
    status: IssueStatus
    count: int = Field(description="How often it was seen.")
    first_seen_at: datetime
    last_seen_at: datetime
    owner: str | None = Field(description="Who has taken it on.")
    note: str | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None


class IssueList(Model):
    """Issues, the latest seen first."""

    issues: list[IssueModel]
    next_cursor: str | None = None


class TransitionModel(Model):
    """Something that became of an issue."""

    transition: str = Field(description="opened, acknowledged, ignored, resolved or reopened.")
    at: datetime
    actor: str = Field(description="Who did it: a person, or `zixly` by itself.")


class IssueJob(Model):
    """A job of the issue."""

    id: UUID
    workflow_type: str
    status: str
    dead_letter: bool = Field(description="Whether it waits for a person.")
    record_id: str
    attempts: int
    origin: str
    error_reason: str | None
    error_message: str | None
    completed_at: datetime | None
    run_id: str | None
    taken_over_by: UUID | None = Field(description="The replay whose end counts in place of this one.")


class EarlierIssue(Model):
    """Another issue of the same cause."""

    id: UUID
    status: IssueStatus
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    note: str | None


class IssueStory(IssueModel):
    """An issue with what became of it, and what is left."""

    dead_letters: int = Field(description="Jobs of it that wait for a person.")
    under_way: int = Field(description="Jobs of it that are tried again now.")
    transitions: list[TransitionModel]
    jobs: list[IssueJob] = Field(description="A few of its jobs, what is left of it first.")
    earlier: list[EarlierIssue] = Field(description="Other issues of the same cause, the latest first.")


class Acknowledgement(BaseModel):
    """Who takes it on."""

    model_config = ConfigDict(extra="forbid")

    owner: str | None = Field(default=None, description="Another person than whoever asks.", min_length=1, max_length=100)
    note: str | None = Field(default=None, description="For whoever looks next.", max_length=1000)


class Remark(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(default=None, description="For whoever looks next.", max_length=1000)


class IssueReplay(BaseModel):
    """How the jobs that are left are to be replayed."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(default=False, description="Only tell what they would write.")
    from_start: bool = Field(default=False, description="From the first step, not from where each was.")
    rate_per_minute: int | None = Field(default=None, ge=1, le=60_000, description="How many become due a minute; 600 unless told.")


class ReplayOfIssue(Model):
    """A replay that was made."""

    replay_id: UUID
    jobs: int = Field(description="How many jobs it made.")
    left: int = Field(description="Dead letters that are left for another replay: one makes at most 10,000 jobs.")
