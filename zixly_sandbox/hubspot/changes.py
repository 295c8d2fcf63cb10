"""Changes of records, as far as webhooks tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.hubspot.table import ObjectTable, Record

# Where a change came from: the app's own calls, or a person in the browser.
INTEGRATION, PERSON = "INTEGRATION", "CRM_UI"


@dataclass(frozen=True)
class Change:
    """One record was made, changed in one property, or removed."""

    portal: str
    object_type: str
    """Plural, as in paths."""
    object_id: str
    kind: str
    """`creation`, `propertyChange`, `deletion`."""
    property_name: str = ""
    property_value: str = ""
    source: str = INTEGRATION


def creation(portal: Portal, table: ObjectTable, record: Record, *, source: str = INTEGRATION) -> list[Change]:
    """The making of a record, with the values that it was made with."""
    made = Change(portal.id, table.type, record.id, "creation", source=source)
    return [made, *changes_made(portal, table, record, record.properties, source=source)]


def changes_made(
    portal: Portal, table: ObjectTable, record: Record, changed: Mapping[str, str], *, source: str = INTEGRATION
) -> list[Change]:
    return [Change(portal.id, table.type, record.id, "propertyChange", name, value, source) for name, value in changed.items()]


def deletion(portal: Portal, table: ObjectTable, record: Record, *, source: str = INTEGRATION) -> list[Change]:
    return [Change(portal.id, table.type, record.id, "deletion", source=source)]
