"""Dates as Xero writes them (`/Date(1541176290160+0000)/`, ISO text beside it) and as it reads them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

EPOCH_DATE = date(1970, 1, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSOFT_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")


def instant_text(milliseconds: int) -> str:
    return f"/Date({milliseconds}+0000)/"


def date_text(day: date) -> str:
    return f"/Date({(day - EPOCH_DATE).days * 86_400_000}+0000)/"


def iso_text(day: date) -> str:
    """The form of `DateString`."""
    return f"{day.isoformat()}T00:00:00"


def parsed_date(value: object) -> date:
    """A date in a request. `ValueError` when it is none."""
    if not isinstance(value, str):
        raise NotADate
    found = MICROSOFT_DATE.fullmatch(value)
    if found:
        return (EPOCH + timedelta(milliseconds=int(found[1]))).date()
    return datetime.fromisoformat(value).date()


def parsed_since(text: str) -> int:
    """`If-Modified-Since` as Unix milliseconds: ISO text, UTC where it has no zone, or an HTTP date. `ValueError` when it is
    neither."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = parsedate_to_datetime(text)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return int(at.timestamp() * 1000)


class NotADate(ValueError):
    """The value is no date in any form that Xero takes."""
