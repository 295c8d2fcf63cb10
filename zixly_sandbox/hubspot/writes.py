"""Making and changing one record: what the single calls and the batch calls have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zixly_sandbox.hubspot.answers import Refused
from zixly_sandbox.hubspot.association_types import AssociationType
from zixly_sandbox.hubspot.changes import changes_made, creation, deletion
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.table import ObjectTable, Record

# What a new record cannot do without.
REQUIRED = {"notes": ("hs_timestamp",), "tasks": ("hs_timestamp",)}


def create_record(
    visit: Visit, table: ObjectTable, item: Mapping[str, Any], *, trace_id: str | None = None
) -> tuple[Record, dict[str, str]]:
    """A new record with its associations, and the values written. Raises `Refused` before anything is kept."""
    values = table.schema.checked(item.get("properties"))
    for name in REQUIRED.get(table.type, ()):
        if not values.get(name):
            raise Refused(f"Some required properties were not set: {name}", code="REQUIRED_FIELD", context={"properties": [name]})
    visit.portal.check(table, values, owner=None)
    wanted = associations_of(visit, table, item)
    record = visit.portal.new_record(table, values, now=visit.now, lag_ms=visit.lag_ms)
    for kind, key in wanted:
        visit.portal.join(record, kind, key)
    visit.desk.record_write(
        visit,
        operation="CREATE",
        object_type=table.type,
        object_id=record.id,
        properties={**values, **{f"associated_{kind.target}": key for kind, key in wanted}},
        trace_id=trace_id,
    )
    visit.desk.on_change(creation(visit.portal, table, record))
    return record, values


def update_record(visit: Visit, table: ObjectTable, record: Record, *, values: Mapping[str, str], trace_id: str | None = None) -> None:
    """Change a record with checked values. Raises `Refused` when another record has a value to itself."""
    visit.portal.check(table, values, owner=record)
    changed = visit.portal.change(table, record, values, now=visit.now, lag_ms=visit.lag_ms)
    visit.desk.record_write(
        visit, operation="UPDATE", object_type=table.type, object_id=record.id, properties=dict(values), trace_id=trace_id
    )
    visit.desk.on_change(changes_made(visit.portal, table, record, changed))


def archive_record(visit: Visit, table: ObjectTable, record: Record) -> None:
    visit.portal.remove(table, record)
    visit.desk.record_write(visit, operation="ARCHIVE", object_type=table.type, object_id=record.id, properties={})
    visit.desk.on_change(deletion(visit.portal, table, record))


def associations_of(visit: Visit, table: ObjectTable, item: Mapping[str, Any]) -> list[tuple[AssociationType, str]]:
    """The kinds and ids that a new record is to be joined with. Raises `Refused` when one is not there."""
    given = item.get("associations")
    found = [one for each in given for one in association_of(visit, table, each)] if isinstance(given, list) else []
    for kind, key in found:
        visit.portal.partner(visit.portal.tables[kind.target], key)
    return found


def association_of(visit: Visit, table: ObjectTable, item: object) -> list[tuple[AssociationType, str]]:
    """Kinds and id of one partner; its object type follows from the number."""
    try:
        numbers = [one["associationTypeId"] for one in item["types"]]  # type: ignore[index]  # whatever was sent
        key = str(item["to"]["id"])  # type: ignore[index]  # the same
    except (KeyError, IndexError, TypeError):
        raise Refused("Invalid input JSON: an association is not complete.") from None
    return [(visit.portal.kinds.get(number, source=table.type), key) for number in numbers]
