"""Which deal or contact in HubSpot a task in Asana belongs to.

Tasks that we made carry it as external data (developers.asana.com/docs/custom-external-data). In others a person writes it into
a custom field: the address of the record's page, `deal:ID`, `contact:ID`, or a deal's id alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from zixly_core.connection_settings import CompletedTasks

LinkedType = Literal["deal", "contact"]

# HubSpot's object type ids in the addresses of records: .../contacts/{portal}/record/0-3/{id}, and the older .../deal/{id}.
PAGE = re.compile(r"/(?:contacts/)?(?P<portal>\d+)/(?:record/(?P<type>0-[13])|(?P<word>deal|contact))/(?P<id>\d{1,20})(?:[/?#]|$)")
NAMED = re.compile(r"(?:(?P<word>deal|contact)\s*[:#]?\s*)?(?P<id>\d{1,20})", re.IGNORECASE)
RECORD_ID = re.compile(r"\d{1,20}")
TYPES: Mapping[str, LinkedType] = {"0-3": "deal", "0-1": "contact", "deal": "deal", "contact": "contact"}


@dataclass(frozen=True)
class Link:
    """A record in HubSpot that a task belongs to. `portal` is known where the link names it."""

    type: LinkedType
    id: str
    portal: str | None = None


def external_data_of(record_type: LinkedType, record_id: str, *, portal: str) -> str:
    """What a task of ours carries: at most 32,768 characters (developers.asana.com/docs/custom-external-data)."""
    return orjson.dumps({"zixly": {"hubspot": {"portal": portal, "type": record_type, "id": record_id}}}).decode()


def link_of(*, external_data: str | None, custom_fields: Mapping[str, str | None], settings: CompletedTasks) -> Link | None:
    """The record that a task belongs to: what we wrote, else what a person wrote into the field. None when nothing says it."""
    return link_in_data(external_data) or link_in_text((custom_fields.get(settings.record_field) or "").strip())


def link_in_data(text: str | None) -> Link | None:
    try:
        found: Any = orjson.loads(text or "")["zixly"]["hubspot"]
        kind, record_id, portal = TYPES[found["type"]], found["id"], found["portal"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    if not isinstance(record_id, str) or not isinstance(portal, str) or not RECORD_ID.fullmatch(record_id):
        return None
    return Link(kind, record_id, portal)


def link_in_text(text: str) -> Link | None:
    """An address says itself what it leads to; an id without a word is a deal's."""
    named = NAMED.fullmatch(text)
    if named is not None:
        return Link(TYPES[(named["word"] or "deal").lower()], named["id"])
    page = PAGE.search(text)
    return Link(TYPES[page["type"] or page["word"]], page["id"], page["portal"]) if page else None
