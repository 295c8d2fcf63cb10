"""Tasks of Asana as values, and tasks to create (developers.asana.com/reference/tasks)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from zixly_core.systems.asana.fields import (
    day_of,
    gid_of,
    moment_of,
    name_in,
    object_of,
    objects_of,
    required_moment,
    text_of,
    without_gaps,
)

# What answers hold beside the gid, which always comes. `external` is there for apps connected by OAuth only.
TASK_FIELDS = (
    "name",
    "completed",
    "completed_at",
    "completed_by.name",
    "assignee.name",
    "due_on",
    "permalink_url",
    "external",
    "external.data",
    "projects",
    "custom_fields.name",
    "custom_fields.display_value",
    "modified_at",
    "notes",
)


@dataclass(frozen=True)
class Task:
    """A task in its present state; people are told by name. `custom_fields` holds what people see, under each field's name and
    under its gid; `external_gid` and `external_data` are what an app wrote there."""

    gid: str
    name: str = field(repr=False)
    completed: bool
    completed_at: datetime | None
    completed_by: str | None = field(repr=False)
    assignee_name: str | None = field(repr=False)
    due_on: date | None
    permalink_url: str
    external_gid: str | None
    external_data: str | None = field(repr=False)
    project_gids: tuple[str, ...]
    custom_fields: Mapping[str, str | None] = field(repr=False)
    modified_at: datetime
    notes: str = field(repr=False)


def task_from(item: object) -> Task:
    """A task as it was read with `TASK_FIELDS`. Raises `Permanent` (`unexpected_answer`)."""
    source = object_of(item, what="a task")
    external = source.get("external")
    told: Mapping[str, Any] = external if isinstance(external, dict) else {}
    return Task(
        gid=gid_of(source),
        name=text_of(source, "name"),
        completed=source.get("completed") is True,
        completed_at=moment_of(source, "completed_at"),
        completed_by=name_in(source, "completed_by"),
        assignee_name=name_in(source, "assignee"),
        due_on=day_of(source, "due_on"),
        permalink_url=text_of(source, "permalink_url"),
        external_gid=text_of(told, "gid") or None,
        external_data=text_of(told, "data") or None,
        project_gids=tuple(gid_of(project) for project in objects_of(source, "projects")),
        custom_fields=custom_fields_of(source),
        modified_at=required_moment(source, "modified_at"),
        notes=text_of(source, "notes"),
    )


def custom_fields_of(source: Mapping[str, Any]) -> dict[str, str | None]:
    values: dict[str, str | None] = {}
    for one in objects_of(source, "custom_fields"):
        shown = text_of(one, "display_value") or None
        values[gid_of(one)] = shown
        values[text_of(one, "name")] = shown
    return values


@dataclass(frozen=True)
class NewTask:
    """A task to create. `external_gid` makes it addressable, so that it is found again; `assignee` is a gid, an e-mail address or
    `me`. `external_data` takes 32,768 characters (developers.asana.com/docs/custom-external-data)."""

    name: str = field(repr=False)
    notes: str = field(repr=False)
    project_gid: str
    due_on: date | None = None
    assignee: str | None = field(default=None, repr=False)
    external_gid: str | None = None
    external_data: str | None = field(default=None, repr=False)


def task_fields(task: NewTask) -> dict[str, object]:
    """The `data` that creates it."""
    external = without_gaps({"gid": task.external_gid, "data": task.external_data})
    return without_gaps(
        {
            "name": task.name,
            "projects": [task.project_gid],
            "due_on": task.due_on.isoformat() if task.due_on else None,
            "notes": task.notes,
            "assignee": task.assignee,
            "external": external or None,
        }
    )
