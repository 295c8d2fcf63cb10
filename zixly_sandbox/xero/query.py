"""The parameters of Xero's lists: `where`, `order`, `page`, `IDs`, `Statuses`, `If-Modified-Since`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

from zixly_sandbox.http import Call
from zixly_sandbox.xero.answers import Page, query_refused
from zixly_sandbox.xero.dates import parsed_since
from zixly_sandbox.xero.where import Field, where_of

__all__ = ["Field", "Listing"]

Record = TypeVar("Record")

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000


class Listing(Generic[Record]):
    """What one list request asks for."""

    def __init__(self, call: Call, *, fields: Mapping[str, Field]) -> None:
        """`fields` are those that `where` and `order` may name. Raises `Refused`."""
        self._query = call.query
        self._fields = {name.lower(): read for name, read in fields.items()}
        self.is_summary = self._query.get("summaryonly", "").lower() == "true"
        self.is_paged = "page" in self._query
        self.since = since_of(call)
        self._fits = where_of(self._query.get("where", ""), field=self._field)

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
        found = [item for item in records if self._is_new_enough(item) and self._fits(item)]
        if "order" in self._query:
            found.sort(key=self._order_field(), reverse=self._query["order"].upper().rstrip().endswith(" DESC"))
        return found

    def page(self, found: list[Record]) -> tuple[list[Record], Page]:
        """The page that was asked for, the first where none was."""
        size = min(self._number("pagesize", DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE)
        page = Page(number=self._number("page", 1), size=size, items=len(found))
        start = (page.number - 1) * size
        return found[start : start + size], page

    def _is_new_enough(self, item: Any) -> bool:
        return self.since is None or item.updated_at >= self.since

    def _order_field(self) -> Callable[[Any], tuple[Any, str]]:
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
