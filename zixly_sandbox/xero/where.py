"""`where` of Xero's lists: comparisons joined by AND and OR, AND first, without brackets. Texts are compared without case.

`Status=="PAID" AND Contact.ContactID==guid("...")`, `EmailAddress!=null`, `Date>=DateTime(2026,11,22)`
(developer.xero.com/documentation/api/accounting/requests-and-responses).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from zixly_sandbox.xero.answers import query_refused

Field = Callable[[Any], Any]
Test = Callable[[Any], bool]

CONDITION = re.compile(
    r"\s*(?P<name>[A-Za-z.]+)\s*(?P<sign>==|!=|>=|<=|>|<)\s*"
    r'(?:(?i:guid)\("(?P<guid>[^"]*)"\)|"(?P<text>(?:[^"\\]|\\.)*)"|(?P<word>true|false|null)'
    r"|(?i:datetime)\((?P<moment>[\d\s,]+)\)|(?P<number>-?\d+(?:\.\d+)?))\s*"
)
JOINT = re.compile(r"AND\b|OR\b|&&|\|\|", re.IGNORECASE)
SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def where_of(text: str, *, field: Callable[[str], Field]) -> Test:
    """The clause as a test; an empty one fits all. Raises `Refused` for what cannot be read."""
    if not text.strip():
        return lambda _item: True
    groups: list[list[Test]] = [[]]
    place = 0
    while True:
        found = CONDITION.match(text, place)
        if found is None:
            raise unreadable(text)
        groups[-1].append(test_of(found, field=field, text=text))
        place = found.end()
        if place == len(text):
            return lambda item: any(all(test(item) for test in group) for group in groups)
        joint = JOINT.match(text, place)
        if joint is None:
            raise unreadable(text)
        if joint[0].upper() in {"OR", "||"}:
            groups.append([])
        place = joint.end()


def test_of(found: re.Match[str], *, field: Callable[[str], Field], text: str) -> Test:
    read, compare = field(found["name"]), SIGNS[found["sign"]]
    value = value_of(found, text=text)

    def test(item: Any) -> bool:
        own = comparable(read(item), like=value)
        return type(own) is type(value) and compare(own, value) if found["sign"] not in {"==", "!="} else compare(own, value)

    return test


def value_of(found: re.Match[str], *, text: str) -> Any:
    """What a field is compared with: text in lower case, a truth, a number, a moment as Unix milliseconds, or nothing."""
    if found["moment"] is not None:
        return moment_of(found["moment"], text=text)
    if found["word"] is not None:
        return {"true": True, "false": False, "null": None}[found["word"]]
    if found["number"] is not None:
        return float(found["number"])
    given = found["guid"] if found["guid"] is not None else found["text"].replace('\\"', '"')
    return given.casefold()


def moment_of(numbers: str, *, text: str) -> int:
    try:
        parts = [int(part) for part in numbers.split(",")]
        year, month, day, hour, minute, second = (*parts, 0, 0, 0)[:6]
        return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise unreadable(text) from None


def comparable(own: Any, *, like: Any) -> Any:
    """A field's value in the form of what it is compared with; empty text is nothing."""
    if isinstance(own, date):
        return int(datetime(own.year, own.month, own.day, tzinfo=UTC).timestamp() * 1000)
    if isinstance(like, float) and isinstance(own, int | float):
        return float(own)
    if isinstance(own, str):
        return own.casefold() if own else None
    return own


def unreadable(text: str) -> Exception:
    return query_refused(f"The where clause could not be read: {text}")
