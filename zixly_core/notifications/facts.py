"""What a message is made from: facts about issues and days, in words and counts; no payload, no personal data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from zixly_core.notifications.words import Kind


@dataclass(frozen=True)
class IssueFacts:
    """An issue as it stands when it is told of."""

    id: UUID
    tenant: str
    """The tenant's short name."""
    system: str
    operation: str
    reason: str
    title: str
    link: str | None
    """A path on the bridge where a person can mend it."""
    status: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    openings: int = 1
    """How often its cause came up in the last day."""


@dataclass(frozen=True)
class IssueNews:
    """One line of a message: what became of an issue."""

    kind: Kind
    issue: IssueFacts


@dataclass(frozen=True)
class WorkflowDay:
    """How a workflow's jobs of a day ended."""

    workflow: str
    completed: int
    failed: int
    replayed: int
    """Of these, made by replays."""


@dataclass(frozen=True)
class TenantDay:
    """A tenant's day, for a digest."""

    tenant: str
    day: date
    begin: datetime
    end: datetime
    workflows: Sequence[WorkflowDay] = ()
    open_issues: Sequence[IssueFacts] = ()
    """The latest seen few."""
    open_issue_count: int = 0
    dead_letters: int = 0
    drifts: int = 0
    """Differences between source and target that reconciliation found that day."""

    @property
    def is_well(self) -> bool:
        return not (self.open_issue_count or self.dead_letters or self.drifts or any(one.failed for one in self.workflows))


@dataclass(frozen=True)
class Places:
    """Where what messages speak of is found."""

    bridge: str
    """The public address of the bridge."""
    runbook: str
    """The address of the operators' runbook, or the file where it stands."""


@dataclass(frozen=True)
class Section:
    """A part of a message: what it is about, a table of labels and values, links with their words."""

    heading: str
    rows: Sequence[tuple[str, str]] = ()
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Message:
    """What is said, before it is put into the form of a channel."""

    subject: str
    opening: str
    sections: Sequence[Section] = field(default_factory=tuple)
    closing: str = ""
