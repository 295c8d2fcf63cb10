"""Records as the JSON of the CRM API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.hubspot.association_types import PRIMARY
from zixly_sandbox.hubspot.portal import SINGULAR, Portal
from zixly_sandbox.hubspot.table import ObjectTable, Record

Document = dict[str, Any]

# Always there, whatever was asked for.
ALWAYS = ("createdate", "hs_object_id")


def record_document(record: Record, table: ObjectTable, *, properties: Iterable[str] = (), trace_id: str | None = None) -> Document:
    """A record with the properties asked for, null where it has none; unknown names are passed over, as HubSpot does."""
    asked = [name for name in properties if table.schema.get(name) is not None] or table.schema.shown
    stamp = "lastmodifieddate" if table.type == "contacts" else "hs_lastmodifieddate"
    document: Document = {
        "id": record.id,
        "properties": {name: record.properties.get(name) or None for name in (*ALWAYS, stamp, *asked)},
        "createdAt": iso_milliseconds(record.created_at),
        "updatedAt": iso_milliseconds(record.updated_at),
        "archived": False,
    }
    if trace_id:
        document["objectWriteTraceId"] = trace_id
    return document


def written_document(record: Record, table: ObjectTable, *, written: Iterable[str], trace_id: str | None = None) -> Document:
    """The answer to a write: what is always shown and what was written."""
    return record_document(record, table, properties=(*table.schema.shown, *written), trace_id=trace_id)


def associations_document(record: Record, table: ObjectTable, *, types: Iterable[str], portal: Portal) -> Document:
    """The `associations` of a single read. Types of two words are written with a blank, as HubSpot does; a partner under two
    kinds (the primary company) is listed twice."""
    found: Document = {}
    for name in types:
        partners = record.associations.get(name, {})
        results = [
            {"id": key, "type": kind} for key, numbers in partners.items() for kind in kind_names(numbers, table.type, name, portal=portal)
        ]
        if results:
            found[name.replace("_", " ")] = {"results": results}
    return found


def kind_names(numbers: Iterable[int], source: str, target: str, *, portal: Portal) -> list[str]:
    """`deal_to_contact`; where there is a primary kind the bare name means that one, and the other says so."""
    bare, has_primary = f"{SINGULAR[source]}_to_{SINGULAR[target]}", portal.kinds.primary(source, target) is not None
    labels = [portal.kinds.get(number, source=source).label for number in numbers]
    return [f"{bare}_unlabeled" if has_primary and label is None else bare for label in labels if label in {None, PRIMARY}]
