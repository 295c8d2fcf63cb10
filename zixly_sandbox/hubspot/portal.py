"""A portal's objects, found by id and, for contacts, by e-mail address."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.hubspot.answers import Refused
from zixly_sandbox.hubspot.properties import PROPERTIES, Schema

# Other names of the object types, and their numbers (developers.hubspot.com/docs/guides/api/crm/understanding-the-crm).
ALIASES = {
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "note": "notes",
    "task": "tasks",
    "line_item": "line_items",
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-8": "line_items",
    "0-27": "tasks",
    "0-46": "notes",
}
SINGULAR = {plural: name for name, plural in ALIASES.items() if not name[0].isdigit()}


@dataclass(slots=True)
class Record:
    """One object. `searched` is what search still sees of it, a moment behind; None: nothing yet."""

    id: str
    properties: dict[str, str]
    created_at: int
    updated_at: int
    searched: dict[str, str] | None = None
    associations: dict[str, list[str]] = field(default_factory=dict)
    """Object type -> ids."""


class ObjectTable:
    """All objects of one type."""

    def __init__(self, object_type: str) -> None:
        self.type = object_type
        self.schema = Schema(object_type)
        self.records: dict[str, Record] = {}
        self._by_email: dict[str, Record] = {}
        self._unseen: deque[tuple[int, Record, dict[str, str]]] = deque()

    def find(self, key: str, *, id_property: str | None) -> Record | None:
        """By id, or by a unique property. Raises `Refused` for a property that is not unique."""
        if id_property in {None, "", "id", "hs_object_id"}:
            return self.records.get(key)
        if id_property == "email" and self.type == "contacts":
            return self._by_email.get(key.strip().lower())
        found = self.schema.get(id_property or "")
        if found is None or not found.is_unique:
            raise Refused(f"Property {id_property} is not a unique identifier property for {self.type}.")
        return next((item for item in self.records.values() if item.properties.get(found.name) == key), None)

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

    def check_unique_email(self, values: Mapping[str, str], *, owner: Record | None) -> None:
        """Raises `Refused` (409) when another contact has the address."""
        holder = self._by_email.get(values.get("email", ""))
        if holder is not None and holder is not owner:
            text = f"Contact already exists. Existing ID: {holder.id}"
            raise Refused(text, status=409, category="CONFLICT")

    def searchable(self, *, now: int) -> Iterator[tuple[Record, dict[str, str]]]:
        """The records as search sees them now."""
        while self._unseen and self._unseen[0][0] <= now:
            _, record, properties = self._unseen.popleft()
            record.searched = properties
        return ((record, record.searched) for record in self.records.values() if record.searched is not None)

    def _index(self, record: Record) -> None:
        for email in emails_of(record):
            self._by_email.setdefault(email, record)

    def _unindex(self, record: Record) -> None:
        for email in emails_of(record):
            if self._by_email.get(email) is record:
                del self._by_email[email]


class Portal:
    """One HubSpot account."""

    def __init__(self, portal_id: str, *, name: str) -> None:
        self.id = portal_id
        self.name = name
        self.tables = {name: ObjectTable(name) for name in PROPERTIES}
        self._ids = itertools.count(10_001)

    @property
    def contacts(self) -> ObjectTable:
        return self.tables["contacts"]

    def table(self, object_type: str) -> ObjectTable:
        """Raises `Refused` for a type that is not there."""
        name = object_type.lower()
        found = self.tables.get(ALIASES.get(name, name))
        if found is None:
            raise Refused(f"Unable to infer object type from: {object_type}")
        return found

    def new_record(self, table: ObjectTable, values: Mapping[str, str], *, now: int, lag_ms: int, key: str | None = None) -> Record:
        """Make and keep a record."""
        record = Record(key or str(next(self._ids)), dict(values), created_at=now, updated_at=now)
        record.properties["hs_object_id"] = record.id
        record.properties["createdate"] = iso_milliseconds(now)
        stamp(record, table.type)
        table.add(record)
        table.show_later(record, now=now, lag_ms=lag_ms)
        return record

    def associate(self, record: Record, object_type: str, *, with_type: str, ids: Iterable[str]) -> None:
        """Join records, seen from both sides. Raises `Refused` (404) when one is not there."""
        other = self.table(with_type)
        for key in ids:
            partner = other.records.get(key)
            if partner is None:
                raise Refused(f"{SINGULAR[other.type]} {key} was not found.", status=404, category="OBJECT_NOT_FOUND")
            join(record, other.type, key)
            join(partner, object_type, record.id)


def join(record: Record, object_type: str, key: str) -> None:
    keys = record.associations.setdefault(object_type, [])
    if key not in keys:
        keys.append(key)


def stamp(record: Record, object_type: str) -> None:
    """The property that holds the time of the last change; contacts have a name of their own for it."""
    name = "lastmodifieddate" if object_type == "contacts" else "hs_lastmodifieddate"
    record.properties[name] = iso_milliseconds(record.updated_at)


def emails_of(record: Record) -> list[str]:
    """A contact's addresses in lower case, the first one first."""
    others = record.properties.get("hs_additional_emails", "").split(";")
    return [text for text in (item.strip().lower() for item in [record.properties.get("email", ""), *others]) if text]
