"""Projects of Asana as values, and projects to create (developers.asana.com/reference/projects)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from zixly_core.systems.asana.fields import gid_of, object_of, required_moment, text_of, without_gaps

PROJECT_FIELDS = ("name", "notes", "permalink_url", "created_at", "archived")


@dataclass(frozen=True)
class Project:
    """A project as it was read. Projects cannot be addressed by a key of ours: what marks one stands in its notes."""

    gid: str
    name: str = field(repr=False)
    notes: str = field(repr=False)
    permalink_url: str
    created_at: datetime
    is_archived: bool = False


def project_from(item: object) -> Project:
    """A project as it was read with `PROJECT_FIELDS`. Raises `Permanent` (`unexpected_answer`)."""
    source = object_of(item, what="a project")
    return Project(
        gid=gid_of(source),
        name=text_of(source, "name"),
        notes=text_of(source, "notes"),
        permalink_url=text_of(source, "permalink_url"),
        created_at=required_moment(source, "created_at"),
        is_archived=source.get("archived") is True,
    )


@dataclass(frozen=True)
class NewProject:
    """A project to create. `team` is needed in workspaces that are organisations."""

    name: str = field(repr=False)
    notes: str = field(repr=False)
    workspace: str
    team: str | None = None
    due_on: date | None = None


def project_fields(project: NewProject) -> dict[str, object]:
    """The `data` that creates it."""
    return without_gaps(
        {
            "name": project.name,
            "workspace": project.workspace,
            "team": project.team,
            "notes": project.notes,
            "due_on": project.due_on.isoformat() if project.due_on else None,
        }
    )
