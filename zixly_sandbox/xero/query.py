"""The parameters of Xero's lists: `where` (equality only), `order`, `page`, `IDs`, `Statuses`, `If-Modified-Since`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

from zixly_sandbox.http import Call
from zixly_sandbox.xero.answers import Page, query_refused
from zixly_sandbox.xero.dates import parsed_since

Record = TypeVar("Record")
Field = Callable[[Any], Any]

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000

# Field=="text", Field==guid("..."), Field==true, joined by AND or &&.
CONDITION = re.compile(r'\s*([A-Za-z.]+)\s*==\s*(?:(?i:guid)\("([^"]*)"\)|"([^"]*)"|(true|false))\s*')
AND = re.compile(r"\s+AND\s+|\s*&&\s*", re.IGNORECASE)


class Listing(Generic[Record]):
    """What one list request asks for."""

    def __init__(self, call: Call, *, fields: Mapping[str, Field]) -> None:
        """`fields` are those that `where` and `order` may name. Raises `Refused`."""
        self._query = call.query
        self._fields = {name.lower(): read for name, read in fields.items()}
        self.is_summary = self._query.get("summaryonly", "").lower() == "true"
        self.is_paged = "page" in self._query
        self.since = since_of(call)
        self._conditions = self._read_where()

    def ids(self, name: str) -> list[str] | None:
        """A list of ids in lower case; None where the parameter is not given. Raises `Refused` for what is no id."""
        words = self.words(name)
        try:
            return None if words is None else [str(UUID(word)) for word in words]
        except ValueError:
            raise query_refused(f"The parameter {name} holds something that is not an id.") from None

    def words(self, name: str) -> list[str] | None:
        """A list separated by commas; None where the parameter is not given."""
        text = self._query.get(name.lower())
        return [word.strip() for word in text.split(",") if word.strip()] if text else None

    def flag(self, name: str) -> bool:
        return self._query.get(name.lower(), "").lower() == "true"

    def text(self, name: str) -> str:
        return self._query.get(name.lower(), "")

    def chosen(self, records: Iterable[Record]) -> list[Record]:
        """Those that fit `where` and `If-Modified-Since`, in the order that was asked for."""
        found = [item for item in records if self._fits(item)]
        if "order" in self._query:
            found.sort(key=self._order_field(), reverse=self._query["order"].upper().rstrip().endswith(" DESC"))
        return found

    def page(self, found: list[Record]) -> tuple[list[Record], Page]:
        """The page that was asked for, the first where none was."""
        size = min(self._number("pagesize", DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE)
        page = Page(number=self._number("page", 1), size=size, items=len(found))
        start = (page.number - 1) * size
        return found[start : start + size], page

    def _fits(self, item: Any) -> bool:
        if self.since is not None and item.updated_at < self.since:
            return False
        return all(str(read(item)).lower() == value for read, value in self._conditions)

    def _read_where(self) -> list[tuple[Field, str]]:
        """Each condition as what to read and the text it must have. Texts are compared without case."""
        text = self._query.get("where", "").strip()
        return [self._condition(part) for part in AND.split(text)] if text else []

    def _condition(self, text: str) -> tuple[Field, str]:
        found = CONDITION.fullmatch(text)
        if found is None:
            raise query_refused(f"The where clause could not be read: {text}")
        value = next(group for group in found.groups()[1:] if group is not None)
        return self._field(found[1]), value.lower()

    def _order_field(self) -> Field:
        """Ids are the second key, so that pages do not overlap."""
        read = self._field(self._query["order"].split()[0] if self._query["order"].strip() else "")
        return lambda item: (read(item), item.id)

    def _field(self, name: str) -> Field:
        try:
            return self._fields[name.lower()]
        except KeyError:
            raise query_refused(f"No property or field '{name}' exists in this type") from None

    def _number(self, name: str, default: int) -> int:
        text = self._query.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**9):
            raise query_refused(f"The parameter {name} is not a positive number.")
        return int(text)


def since_of(call: Call) -> int | None:
    text = call.headers.get("if-modified-since")
    try:
        return parsed_since(text) if text else None
    except ValueError:
        raise query_refused("The header If-Modified-Since is not a date.") from None
