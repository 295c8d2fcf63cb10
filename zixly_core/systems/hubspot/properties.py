"""Properties that we add to a portal's records (developers.hubspot.com/docs/api-reference/crm-properties-v3/guide)."""

from __future__ import annotations

from typing import Any

# A property that each kind of record has: a new one goes into its group, because groups are named differently from kind to kind.
NEIGHBOURS = {
    "contacts": "email",
    "companies": "name",
    "deals": "dealname",
    "line_items": "name",
    "notes": "hs_note_body",
    "tasks": "hs_task_subject",
}


def text_property(name: str, *, label: str, group: str) -> dict[str, Any]:
    """A line of text that people see but are not asked for."""
    return {
        "name": name,
        "label": label,
        "type": "string",
        "fieldType": "text",
        "groupName": group,
        "description": "Written by Zixly, so that it knows its own records again.",
        "formField": False,
    }
