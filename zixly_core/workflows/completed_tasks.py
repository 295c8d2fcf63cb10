"""What the workflow `asana-task-to-hubspot` decides: whether a task was completed anew, and the note that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from zixly_core.connection_settings import CompletedTasks, filled
from zixly_core.stores.effects import SourceState
from zixly_core.systems.asana.tasks import Task
from zixly_core.workflows.task_links import Link, LinkedType, link_of


class NotCompleted(StrEnum):
    """Why an event about a task needs no note."""

    OPEN = "the task is not completed"
    KNOWN = "the completion was told already"
    UNLINKED = "the task belongs to no deal or contact"
    OTHER_PORTAL = "the task belongs to a record of another portal"


@dataclass(frozen=True)
class Note:
    """The note to be written, and where. `body` is HTML."""

    record_type: LinkedType
    record_id: str
    body: str = field(repr=False)
    at: datetime


def reason_to_skip(task: Task, link: Link | None, *, seen: SourceState | None, portal: str, is_repair: bool = False) -> NotCompleted | None:
    """Why the task needs nothing, or None when its completion is news. A repair tells again what was told before."""
    if not task.completed or task.completed_at is None:
        return NotCompleted.OPEN
    if link is None:
        return NotCompleted.UNLINKED
    if link.portal not in (None, portal):
        return NotCompleted.OTHER_PORTAL
    if not is_repair and seen is not None and seen.state.get("completed_at") == task.completed_at.isoformat():
        return NotCompleted.KNOWN
    return None


def link_of_task(task: Task, settings: CompletedTasks) -> Link | None:
    return link_of(external_data=task.external_data, custom_fields=task.custom_fields, settings=settings)


def note_of(task: Task, link: Link, settings: CompletedTasks, *, completed_at: datetime, zone: ZoneInfo) -> Note:
    """The note, out of the connection's template. What a task says stands in it as text, never as HTML."""
    values = {
        "task": escape(task.name),
        "completed_on": completed_at.astimezone(zone).date().isoformat(),
        "completed_by": escape(task.completed_by or "somebody"),
        "link": f'<a href="{escape(task.permalink_url)}">Open in Asana</a>' if task.permalink_url else "",
    }
    return Note(link.type, link.id, filled(escape(settings.note), values).strip(), completed_at)


def note_to_json(note: Note) -> dict[str, Any]:
    return {"record_type": note.record_type, "record_id": note.record_id, "body": note.body, "at": note.at.isoformat()}


def note_from_json(kept: Mapping[str, Any]) -> Note:
    return Note(kept["record_type"], kept["record_id"], kept["body"], datetime.fromisoformat(kept["at"]))
