"""Notes: created in batches, and found by what they are about, which is up to date at once where a search lags behind writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zixly_core.errors import Permanent, RecordGone
from zixly_core.systems.hubspot.associations import plural_of
from zixly_core.systems.hubspot.calls import api_path, results_in
from zixly_core.systems.hubspot.deal_calls import DealCalls
from zixly_core.systems.hubspot.notes import EFFECT_PROPERTY, NOTE_PROPERTIES, NewNote, Note, NoteTarget, note_from, note_input
from zixly_core.systems.hubspot.objects import unexpected
from zixly_core.systems.hubspot.properties import NEIGHBOURS, text_property
from zixly_core.systems.hubspot.writes import Asked, WriteResult, trace_and_id


class NoteCalls(DealCalls):
    def create_notes(self, notes: Sequence[NewNote]) -> dict[str, WriteResult]:
        """Create notes in one call; one result for each, by its effect key.

        A call that failed as a whole raises, and then it is not known whether anything was written: look with `notes_of` before
        writing again. The portal needs our property first, see `ensure_property`.
        `ValueError` for more than `MAX_INPUTS` notes or for two with the same key.
        """
        results = self._batch_write(
            f"{self._path('notes')}/batch/create",
            asked=[Asked(note.effect_key, f"the note {note.effect_key}") for note in notes],
            inputs=[note_input(note) for note in notes],
            operation=f"write {len(notes)} notes",
            names_of=trace_and_effect,
        )
        return {result.trace_id: result for result in results}

    def notes_of(self, object_type: NoteTarget, ids: Iterable[str]) -> dict[str, list[Note]]:
        """The notes on each of these records, by the record's id; records without notes are missing. Raises `Transient`, `Permanent`."""
        named = self.associated(object_type, "note", ids)
        wanted = [note for notes in named.values() for note in notes]
        notes = self.notes_by_ids(wanted)
        return {one: [notes[note] for note in some if note in notes] for one, some in named.items()}

    def notes_by_ids(self, ids: Iterable[str]) -> dict[str, Note]:
        """The notes with these ids, by id; those that are gone are missing. Raises `Transient` and `Permanent`."""
        return {note.id: note for note in map(note_from, self._by_ids("notes", list(ids), properties=NOTE_PROPERTIES))}

    def ensure_property(self, object_type: str, name: str, *, label: str) -> None:
        """See to it that the records of a type have our text property; it can be repeated. Raises `Transient` and `Permanent`
        (`forbidden` where the connection lacks the scope to write schemas)."""
        kind = plural_of(object_type)
        path = f"{api_path(self._version, 'properties')}/{kind}"
        try:
            self._api.get(f"{path}/{name}", operation=f"look for the property {name} of {kind}")
        except RecordGone:
            self._create_property(path, text_property(name, label=label, group=self._group_of(path, NEIGHBOURS[kind])))

    def missing_properties(self, object_type: str, names: Sequence[str]) -> list[str]:
        """Which of these properties the records of a type do not have, out of one call. Raises `Transient` and `Permanent`."""
        kind = plural_of(object_type)
        operation = f"read the properties of {kind}"
        answer = self._api.get(f"{api_path(self._version, 'properties')}/{kind}", operation=operation)
        found = {item.get("name") for item in results_in(self._api.document_of(answer, operation=operation), operation=operation)}
        return [name for name in names if name not in found]

    def _create_property(self, path: str, definition: dict[str, Any]) -> None:
        try:
            self._api.post(path, operation=f"create the property {definition['name']}", body=definition, is_read=False)
        except Permanent as error:
            if error.reason != "conflict":  # somebody else was quicker
                raise

    def _group_of(self, path: str, neighbour: str) -> str:
        operation = f"look for the property {neighbour}"
        found = self._api.document_of(self._api.get(f"{path}/{neighbour}", operation=operation), operation=operation)
        if not isinstance(found.get("groupName"), str):
            raise unexpected("groupName")
        return str(found["groupName"])


def trace_and_effect(item: Mapping[str, Any]) -> Iterable[object]:
    properties = item.get("properties")
    return [*trace_and_id(item), properties.get(EFFECT_PROPERTY) if isinstance(properties, dict) else None]
