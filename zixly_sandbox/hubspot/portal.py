"""A portal: its objects with what they are joined with."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.hubspot.answers import Refused
from zixly_sandbox.hubspot.association_types import AssociationType, AssociationTypes
from zixly_sandbox.hubspot.calculated import calculated
from zixly_sandbox.hubspot.properties import PROPERTIES
from zixly_sandbox.hubspot.stages import checked_stage
from zixly_sandbox.hubspot.table import ObjectTable, Record, stamp

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
NUMBERS = {plural: name for name, plural in ALIASES.items() if name[0].isdigit()}


class Portal:
    """One HubSpot account."""

    def __init__(self, portal_id: str, *, name: str) -> None:
        self.id = portal_id
        self.name = name
        self.tables = {name: ObjectTable(name) for name in PROPERTIES}
        self.kinds = AssociationTypes()
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

    def check(self, table: ObjectTable, values: Mapping[str, str], *, owner: Record | None) -> None:
        """Raises `Refused` for a value that another record has to itself, or a stage that there is not."""
        table.check_unique(values, owner=owner)
        if table.type == "deals":
            checked_stage(values, owner.properties if owner else {})

    def new_record(self, table: ObjectTable, values: Mapping[str, str], *, now: int, lag_ms: int, key: str | None = None) -> Record:
        """Make and keep a record."""
        record = Record(key or str(next(self._ids)), dict(values), created_at=now, updated_at=now)
        record.properties.update(calculated(table.type, values, {}, now=now))
        record.properties["hs_object_id"] = record.id
        record.properties["createdate"] = iso_milliseconds(now)
        stamp(record, table.type)
        table.add(record)
        table.show_later(record, now=now, lag_ms=lag_ms)
        return record

    def change(self, table: ObjectTable, record: Record, values: Mapping[str, str], *, now: int, lag_ms: int) -> dict[str, str]:
        """Write properties and what follows from them; those of them that have another value now."""
        whole = {**values, **calculated(table.type, values, record.properties, now=now)}
        changed = {name: value for name, value in whole.items() if record.properties.get(name, "") != value}
        table.change(record, whole, now=now, lag_ms=lag_ms)
        return changed

    def remove(self, table: ObjectTable, record: Record) -> None:
        """Archive a record: no call finds it any more, and nothing is joined with it."""
        for other_type, partners in record.associations.items():
            for key in partners:
                self.tables[other_type].records[key].associations.get(table.type, {}).pop(record.id, None)
        record.associations.clear()
        table.remove(record)

    def partner(self, table: ObjectTable, key: str) -> Record:
        """A record to join with. Raises `Refused` (404)."""
        found = table.records.get(key)
        if found is None:
            raise Refused(f"{SINGULAR[table.type]} {key} was not found.", status=404, category="OBJECT_NOT_FOUND")
        return found

    def associate(self, record: Record, object_type: str, *, with_type: str, ids: Iterable[str]) -> None:
        """Join records without a label. Raises `Refused` (404) when one is not there."""
        kind = self.kinds.default(self.table(object_type).type, self.table(with_type).type)
        for key in ids:
            self.join(record, kind, key)

    def join(self, record: Record, kind: AssociationType, key: str) -> None:
        """Join two records, seen from both sides. A label stands beside the unlabelled kind; the first company is the primary one.

        Raises `Refused` (404) when the other is not there.
        """
        partner = self.partner(self.tables[kind.target], key)
        numbers = record.associations.setdefault(kind.target, {}).setdefault(key, [])
        kinds = [self.kinds.default(kind.source, kind.target), kind, *self._first_company(record, kind)]
        for item in kinds:
            if item.number not in numbers:
                numbers.append(item.number)
                partner.associations.setdefault(kind.source, {}).setdefault(record.id, []).append(item.inverse)

    def part(self, record: Record, source: str, *, target: str, key: str, only: AssociationType | None = None) -> None:
        """Undo a joining, wholly or one label of it."""
        partner = self.tables[target].records.get(key)
        for side, other_type, other_key, number in (
            (record, target, key, only.number if only else None),
            (partner, source, record.id, only.inverse if only else None),
        ):
            numbers = side.associations.get(other_type, {}).get(other_key) if side else None
            if side is None or numbers is None:
                continue
            if number is not None:
                numbers[:] = [item for item in numbers if item != number]
            if number is None or not numbers:
                del side.associations[other_type][other_key]

    def _first_company(self, record: Record, kind: AssociationType) -> list[AssociationType]:
        primary = self.kinds.primary(kind.source, kind.target)
        if primary is None or kind.target != "companies":
            return []
        has_one = any(primary.number in numbers for numbers in record.associations[kind.target].values())
        return [] if has_one else [primary]
