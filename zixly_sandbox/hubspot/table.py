"""All objects of one type, found by id and by their unique properties, and as search sees them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.hubspot.answers import Refused
from zixly_sandbox.hubspot.properties import Schema


@dataclass(slots=True)
class Record:
    """One object. `searched` is what search still sees of it, a moment behind; None: nothing yet."""

    id: str
    properties: dict[str, str]
    created_at: int
    updated_at: int
    searched: dict[str, str] | None = None
    associations: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Object type -> id -> numbers of the kinds of association, the oldest first."""


class ObjectTable:
    """All objects of one type."""

    def __init__(self, object_type: str) -> None:
        self.type = object_type
        self.schema = Schema(object_type)
        self.records: dict[str, Record] = {}
        self._by_value: dict[tuple[str, str], Record] = {}
        self._unseen: deque[tuple[int, Record, dict[str, str]]] = deque()

    def find(self, key: str, *, id_property: str | None) -> Record | None:
        """By id, or by a unique property. Raises `Refused` for a property that is not unique."""
        if id_property in {None, "", "id", "hs_object_id"}:
            return self.records.get(key)
        found = self.schema.get(id_property or "")
        if found is None or not found.is_unique:
            raise Refused(f"Property {id_property} is not a unique identifier property for {self.type}.")
        return self._by_value.get((found.name, key.strip().lower() if found.name == "email" else key))

    def add(self, record: Record) -> None:
        self.records[record.id] = record
        self._index(record)

    def change(self, record: Record, values: Mapping[str, str], *, now: int, lag_ms: int) -> None:
        """Write properties; empty text clears one. Search sees it after `lag_ms`."""
        self._unindex(record)
        record.properties.update(values)
        record.updated_at = now
        stamp(record, self.type)
        self._index(record)
        self.show_later(record, now=now, lag_ms=lag_ms)

    def show_later(self, record: Record, *, now: int, lag_ms: int) -> None:
        """Let search see the present state of the record after a while."""
        self._unseen.append((now + lag_ms, record, dict(record.properties)))

    def remove(self, record: Record) -> None:
        """Archive a record: no call finds it any more."""
        self._unindex(record)
        self.records.pop(record.id, None)
        record.searched = None

    def check_unique(self, values: Mapping[str, str], *, owner: Record | None) -> None:
        """Raises `Refused` when another record has a value that only one may have: 409 for e-mail addresses, else 400."""
        for name in self.schema.unique:
            value = values.get(name)
            holder = self._by_value.get((name, value)) if value else None
            if holder is None or holder is owner:
                continue
            if name == "email":
                raise Refused(f"Contact already exists. Existing ID: {holder.id}", status=409, category="CONFLICT")
            text = f'Cannot set PropertyValueCoordinates "{name}" to {value}. {holder.id} already has that value.'
            raise Refused(text, code="CONFLICTING_UNIQUE_VALUE", context={"propertyName": [name], "existingId": [holder.id]})

    def searchable(self, *, now: int) -> Iterator[tuple[Record, dict[str, str]]]:
        """The records as search sees them now."""
        while self._unseen and self._unseen[0][0] <= now:
            _, record, properties = self._unseen.popleft()
            record.searched = properties
        return ((record, record.searched) for record in self.records.values() if record.searched is not None)

    def _index(self, record: Record) -> None:
        for key in self._keys(record):
            self._by_value.setdefault(key, record)

    def _unindex(self, record: Record) -> None:
        for key in self._keys(record):
            if self._by_value.get(key) is record:
                del self._by_value[key]

    def _keys(self, record: Record) -> list[tuple[str, str]]:
        """Unique property and value; a contact is found by its further e-mail addresses too."""
        keys = [(name, value) for name in self.schema.unique if (value := record.properties.get(name))]
        if self.type == "contacts":
            others = record.properties.get("hs_additional_emails", "").split(";")
            keys += [("email", text) for text in (item.strip().lower() for item in others) if text]
        return keys


def stamp(record: Record, object_type: str) -> None:
    """The property that holds the time of the last change; contacts have a name of their own for it."""
    name = "lastmodifieddate" if object_type == "contacts" else "hs_lastmodifieddate"
    record.properties[name] = iso_milliseconds(record.updated_at)
