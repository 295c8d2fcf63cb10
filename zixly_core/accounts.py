"""Which accounts an authorisation reaches: asked of the vendor right after a person's consent, with the new token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from zixly_core.errors import Permanent, Transient
from zixly_core.http_client import send
from zixly_core.http_errors import failure_of


@dataclass(frozen=True)
class Account:
    """An account at a vendor: `external_id` is a Xero organisation, a HubSpot portal, a Shopify shop, an Asana workspace."""

    external_id: str
    name: str


def asked(http: httpx2.Client, request: httpx2.Request, *, system: str, operation: str) -> Any:
    """The JSON of an answer to a read. Raises what `failure_of` gives, `Transient` for text that is no JSON."""
    try:
        answer = send(http, request, is_read=True)
    except httpx2.HTTPError as error:
        raise failure_of(error, system=system, operation=operation) from error
    if not answer.is_success:
        raise failure_of(answer, system=system, operation=operation)
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        text = f"{system}'s answer is not JSON when asked to {operation}; try again."
        raise Transient(text, reason="unreadable_answer") from None


def accounts_in(rows: object, *, id_field: str, name_field: str, system: str) -> list[Account]:
    """The accounts in a vendor's list. Raises `Permanent` for a list of another form."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get(id_field), str) for row in rows):
        raise unexpected(system)
    return [Account(row[id_field], name_of(row, name_field) or row[id_field]) for row in rows]


def name_of(row: Mapping[str, Any], field: str) -> str | None:
    name = row.get(field)
    return name if isinstance(name, str) and name else None


def unexpected(system: str) -> Permanent:
    text = f"{system}'s answer does not tell which accounts were allowed; the base URLs in the settings may be wrong."
    return Permanent(text, reason="unexpected_answer")
