"""Where a page of a list ended, as text that goes back and forth."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from zixly_core.errors import MalformedPayload
from zixly_core.stores.jobs_view import Page


def page_from(*, limit: int, cursor: str | None) -> Page:
    """The page after the one whose `next_cursor` this is. Raises `MalformedPayload`."""
    if not cursor:
        return Page(limit=limit)
    try:
        at, _, row_id = urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return Page(limit=limit, after=(aware(datetime.fromisoformat(at)), UUID(row_id)))
    except ValueError as error:
        raise MalformedPayload("This cursor is not one of ours; begin again without it.", reason="cursor") from error


def cursor_after(rows: Sequence[Mapping[str, Any]], *, limit: int, age: str) -> str | None:
    """The cursor of a page; None when it was not full, so nothing follows."""
    if len(rows) < limit:
        return None
    return cursor_of(rows[-1][age], rows[-1]["id"])


def cursor_of(at: datetime, row_id: UUID) -> str:
    """The cursor of a page that ends with this row."""
    return urlsafe_b64encode(f"{at.isoformat()}|{row_id}".encode()).decode()


def aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("no time zone")
    return at
