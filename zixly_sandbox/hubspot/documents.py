"""Records as the JSON of the CRM API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.hubspot.portal import SINGULAR, ObjectTable, Record

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


def associations_document(record: Record, table: ObjectTable, *, types: Iterable[str]) -> Document:
    """The `associations` of a single read. Types of two words are written with a blank, as HubSpot does."""
    found: Document = {}
    for name in types:
        keys = record.associations.get(name, [])
        if keys:
            kind = f"{SINGULAR[table.type]}_to_{SINGULAR[name]}"
            found[name.replace("_", " ")] = {"results": [{"id": key, "type": kind} for key in keys]}
    return found
