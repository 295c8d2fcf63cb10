"""What an address of the console asks for, as values: what was left empty asks for nothing, and times without a zone are UTC.
What a form holds that changes something is in filled.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

from zixly_core.errors import MalformedPayload

Text = Annotated[str, Query(max_length=300)]


def text(given: str | None) -> str | None:
    return (given or "").strip() or None


def moment(given: str | None, *, name: str) -> datetime | None:
    """Raises `MalformedPayload`."""
    told = text(given)
    if told is None:
        return None
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise MalformedPayload(f"{name}: {told[:40]!r} is no time such as 2026-11-28T14:30.", reason="invalid_parameter") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def answered(values: Mapping[str, object]) -> dict[str, str]:
    """Only what was answered, as it stands in an address."""
    told = {name: value for name, value in values.items() if value not in (None, "")}
    return {name: value.isoformat() if isinstance(value, datetime) else str(value) for name, value in told.items()}


def address(path: str, values: Mapping[str, object]) -> str:
    """A path with the filters that are set."""
    query = urlencode(answered(values))
    return f"{path}?{query}" if query else path
