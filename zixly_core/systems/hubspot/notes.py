"""Notes of HubSpot as values, and notes to create (developers.hubspot.com/docs/api-reference/crm-notes-v3/guide)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from zixly_core.systems.hubspot.objects import record_from

# Our own property, by which a note is known again: HubSpot has no idempotency key, and notes have no natural one.
EFFECT_PROPERTY = "zixly_effect"
NOTE_PROPERTIES = (EFFECT_PROPERTY, "hs_timestamp")

NoteTarget = Literal["contact", "deal", "company"]
# developers.hubspot.com/docs/api-reference/crm-associations-v4/guide: note to contact, to company, to deal.
TYPE_IDS: dict[NoteTarget, int] = {"contact": 202, "company": 190, "deal": 214}


@dataclass(frozen=True)
class Note:
    """A note as it was read, without its text. `effect_key` is None on notes of others; `at` is when it says it was."""

    id: str
    effect_key: str | None
    at: datetime


@dataclass(frozen=True)
class NewNote:
    """A note to create on one record or more. `effect_key` is written with it; `body_html` is HTML as it is sent."""

    effect_key: str
    body_html: str = field(repr=False)
    at: datetime
    to: tuple[tuple[NoteTarget, str], ...]


def note_from(item: object) -> Note:
    """One element of `results`. Raises `Permanent` (`unexpected_answer`)."""
    record = record_from(item)
    return Note(record.id, record.optional(EFFECT_PROPERTY), record.moment("hs_timestamp") or record.updated_at)


def note_input(note: NewNote) -> dict[str, Any]:
    """The input of a batch that creates it."""
    properties = {
        "hs_timestamp": note.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "hs_note_body": note.body_html,
        EFFECT_PROPERTY: note.effect_key,
    }
    associations = [{"to": {"id": record_id}, "types": [association_type(TYPE_IDS[kind])]} for kind, record_id in note.to]
    return {"properties": properties, "associations": associations, "objectWriteTraceId": note.effect_key}


def association_type(type_id: int) -> dict[str, Any]:
    return {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
