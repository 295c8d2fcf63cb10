"""Where a person opens a record in HubSpot."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

HubSpotRecord = Literal["contact", "company", "deal", "note", "task"]

# developers.hubspot.com/docs/api-reference/legacy/crm/using-object-apis: object type ids.
TYPE_IDS: dict[HubSpotRecord, str] = {"contact": "0-1", "company": "0-2", "deal": "0-3", "note": "0-46", "task": "0-27"}


def record_url(record_type: HubSpotRecord, record_id: str, *, portal_id: str) -> str:
    """Deep link to a record in a portal."""
    portal, record = quote(portal_id, safe=""), quote(record_id, safe="")
    return f"https://app.hubspot.com/contacts/{portal}/record/{TYPE_IDS[record_type]}/{record}"
