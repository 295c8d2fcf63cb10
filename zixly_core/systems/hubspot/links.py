"""Where a person opens a record in HubSpot. Accounts of other regions have other hosts, such as app-eu1.hubspot.com; `app` leads on.

Path: knowledge.hubspot.com, "Understand record IDs"; numbers: developers.hubspot.com/docs/guides/crm/using-object-apis, object type ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

TYPE_IDS: Mapping[str, str] = {"contact": "0-1", "company": "0-2", "deal": "0-3", "note": "0-46", "task": "0-27"}


def record_url(kind: str, record_id: str, *, account: str, base: str) -> str | None:
    """Deep link to a record in a portal (`account`); None for a kind that has no page of its own."""
    number = TYPE_IDS.get(kind)
    return f"{base}/contacts/{quote(account, safe='')}/record/{number}/{quote(record_id, safe='')}" if number else None
