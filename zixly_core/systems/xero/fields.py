"""Fields of Xero's JSON read into values, and values written as fields.

Shapes: github.com/XeroAPI/Xero-OpenAPI xero_accounting.yaml. Dates come as `/Date(1541176290160+0000)/` (milliseconds) beside
ISO text, money as JSON numbers. Errors name a field, never its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from zixly_core.errors import Permanent

MICROSOFT_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
# A day under a name that fields called `date` do not hide.
Day = date
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_from(value: object) -> datetime:
    """A moment in UTC from either of Xero's forms. What follows the milliseconds is the organisation's zone, which does not
    move the moment; ISO text without a zone is UTC. Raises `Permanent`."""
    text = value if isinstance(value, str) else ""
    found = MICROSOFT_DATE.fullmatch(text)
    try:
        if found:
            return EPOCH + timedelta(milliseconds=int(found[1]))
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise unexpected("a date") from None


def day_of(source: Mapping[str, Any], name: str) -> date | None:
    """A day without a time, such as a due date; None where it is left out. Raises `Permanent`."""
    return instant_from(source[name]).date() if source.get(name) else None


def object_of(item: object, *, what: str) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise unexpected(what)
    return item


def objects_of(source: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects inside a record; empty where it is left out. Raises `Permanent`."""
    items = source.get(name) or []
    if not isinstance(items, list):
        raise unexpected(name)
    return [object_of(item, what=name) for item in items]


def text_of(source: Mapping[str, Any], name: str) -> str:
    """A text that is always there. Raises `Permanent`."""
    value = source.get(name)
    if not isinstance(value, str) or not value:
        raise unexpected(name)
    return value


def optional_text(source: Mapping[str, Any], name: str) -> str:
    """A text; empty where it is left out."""
    return str(source.get(name) or "")


def money_of(source: Mapping[str, Any], name: str) -> Decimal:
    """An amount; 0 where it is left out. The shortest text of a double is exact up to 15 digits, more than Xero keeps."""
    value = source.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise unexpected(name)
    return Decimal(str(value))


def number_from(amount: Decimal) -> float:
    """An amount as the JSON number that Xero takes; exact up to 15 digits, see `money_of`."""
    return float(amount)


def unexpected(what: str) -> Permanent:
    return Permanent(f"Xero's answer holds {what} in a form that is not known here.", reason="unexpected_answer")
