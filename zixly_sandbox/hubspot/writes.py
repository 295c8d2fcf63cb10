"""Making and changing one record: what the single calls and the batch calls have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zixly_sandbox.hubspot.answers import Refused
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.portal import ObjectTable, Record

# What a new record cannot do without.
REQUIRED = {"notes": ("hs_timestamp",), "tasks": ("hs_timestamp",)}
# HubSpot-defined association types by number (developers.hubspot.com/docs/guides/api/crm/associations/associations-v4).
ASSOCIATION_TYPES = {
    202: "contacts",  # note to contact
    190: "companies",  # note to company
    214: "deals",  # note to deal
    204: "contacts",  # task to contact
    192: "companies",  # task to company
    216: "deals",  # task to deal
    3: "contacts",  # deal to contact
    5: "companies",  # deal to company
    19: "line_items",  # deal to line item
    20: "deals",  # line item to deal
    4: "deals",  # contact to deal
}


def create_record(
    visit: Visit, table: ObjectTable, item: Mapping[str, Any], *, trace_id: str | None = None
) -> tuple[Record, dict[str, str]]:
    """A new record with its associations, and the values written. Raises `Refused` before anything is kept."""
    values = table.schema.checked(item.get("properties"))
    for name in REQUIRED.get(table.type, ()):
        if not values.get(name):
            raise Refused(f"Some required properties were not set: {name}", code="REQUIRED_FIELD", context={"properties": [name]})
    table.check_unique_email(values, owner=None)
    wanted = associations_of(visit, item)
    record = visit.portal.new_record(table, values, now=visit.now, lag_ms=visit.lag_ms)
    for object_type, key in wanted:
        visit.portal.associate(record, table.type, with_type=object_type, ids=[key])
    visit.desk.record_write(
        visit,
        operation="CREATE",
        object_type=table.type,
        object_id=record.id,
        properties={**values, **{f"associated_{name}": key for name, key in wanted}},
        trace_id=trace_id,
    )
    return record, values


def update_record(visit: Visit, table: ObjectTable, record: Record, *, values: Mapping[str, str], trace_id: str | None = None) -> None:
    """Change a record with checked values. Raises `Refused` when an e-mail address is taken."""
    table.check_unique_email(values, owner=record)
    table.change(record, values, now=visit.now, lag_ms=visit.lag_ms)
    visit.desk.record_write(
        visit, operation="UPDATE", object_type=table.type, object_id=record.id, properties=dict(values), trace_id=trace_id
    )


def associations_of(visit: Visit, item: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The object types and ids that a new record is to be joined with. Raises `Refused` when one is not there."""
    given = item.get("associations")
    found = [association_of(one) for one in given] if isinstance(given, list) else []
    for object_type, key in found:
        if key not in visit.portal.table(object_type).records:
            raise Refused(f"No {object_type} with id {key} exists.", status=404, category="OBJECT_NOT_FOUND")
    return found


def association_of(item: object) -> tuple[str, str]:
    """Object type and id of one association; the type follows from its number."""
    try:
        number, key = item["types"][0]["associationTypeId"], item["to"]["id"]  # type: ignore[index]  # whatever was sent
        return ASSOCIATION_TYPES[number], str(key)
    except (KeyError, IndexError, TypeError):
        raise Refused("Invalid input JSON: an association is not complete or of an unknown type.") from None
