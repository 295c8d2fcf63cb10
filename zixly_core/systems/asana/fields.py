"""Fields of Asana's JSON read into values. Errors name a field, never its value.

Shapes: github.com/Asana/openapi defs/asana_oas.yaml . An answer holds the record, or the list, under `data`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from zixly_core.errors import Permanent


def object_of(item: object, *, what: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise unexpected(what)
    return item


def objects_of(source: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects; empty where it is left out. Raises `Permanent`."""
    items = source.get(name) or []
    if not isinstance(items, list):
        raise unexpected(name)
    return [object_of(item, what=name) for item in items]


def gid_of(source: Mapping[str, Any]) -> str:
    value = source.get("gid")
    if not isinstance(value, str) or not value:
        raise unexpected("gid")
    return value


def text_of(source: Mapping[str, Any], name: str) -> str:
    """A text; empty where it is left out."""
    value = source.get(name)
    return value if isinstance(value, str) else ""


def name_in(source: Mapping[str, Any], name: str) -> str | None:
    """The name of a person or of another record inside this one; None where there is none."""
    inner = source.get(name)
    return text_of(inner, "name") or None if isinstance(inner, dict) else None


def moment_of(source: Mapping[str, Any], name: str) -> datetime | None:
    """A moment in UTC; None where it is left out. Raises `Permanent`."""
    text = source.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise unexpected(name) from None


def required_moment(source: Mapping[str, Any], name: str) -> datetime:
    """A moment that is always there. Raises `Permanent`."""
    at = moment_of(source, name)
    if at is None:
        raise unexpected(name)
    return at


def day_of(source: Mapping[str, Any], name: str) -> date | None:
    """A day; None where it is left out. Raises `Permanent`."""
    text = source.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except (TypeError, ValueError):
        raise unexpected(name) from None


def without_gaps(fields: dict[str, object]) -> dict[str, object]:
    """The fields of a record to create, those without a value left out."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def unexpected(what: str) -> Permanent:
    return Permanent(f"Asana's answer holds {what} in a form that is not known here.", reason="unexpected_answer")
