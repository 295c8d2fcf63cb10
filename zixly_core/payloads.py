"""Read what senders write: JSON whose shape nobody promised, turned into texts that can be stored and compared."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from zixly_core.errors import MalformedPayload

MAX_TEXT_BYTES = 200  # several of them make a key, and a key of more than 2,700 bytes has no place in an index


def document_of(body: bytes, *, what: str) -> Any:
    """The JSON of a body. `what` names it in the error, such as "a HubSpot delivery". Raises `MalformedPayload`."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedPayload(f"The body of {what} is not JSON: {error.msg}.") from error


def object_of(value: object, *, what: str) -> Mapping[str, Any]:
    """A JSON object. Raises `MalformedPayload`."""
    if not isinstance(value, dict):
        raise MalformedPayload(f"{what} is not an object.")
    return value


def is_text(value: object) -> bool:
    """Whether it is text that can be part of a key."""
    return isinstance(value, str) and value.isprintable() and 0 < len(value.encode()) <= MAX_TEXT_BYTES


def text_or_none(item: Mapping[str, Any], name: str) -> str | None:
    """The text or whole number under a name, as text; None when there is no usable one."""
    value = item.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return str(value) if is_text(value) else None


def text_of(item: Mapping[str, Any], name: str, *, what: str) -> str:
    """The text or whole number under a name, as text. Raises `MalformedPayload` when there is no usable one."""
    text = text_or_none(item, name)
    if text is None:
        raise MalformedPayload(f"{what} has no usable text or number in {name}.")
    return text


def instant_or_none(value: object) -> datetime | None:
    """An ISO 8601 date and time as UTC; without a zone it is taken for UTC. None when it is none."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is None:
            return None
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
