"""What an export knows of a list: the form of its rows, its questions, and how to read it a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from webhook_bridge.exports.formats import Document
from webhook_bridge.payload_fields import shown
from webhook_bridge.signed_in import Caller
from zixly_core.stores.database import Rows
from zixly_core.stores.jobs_view import Page

ROWS_A_PAGE = 500
# Addresses of the API, which are of no use in a file.
LEFT_OUT = frozenset({"links"})

Wanted = TypeVar("Wanted")
Asking_contra = TypeVar("Asking_contra", contravariant=True)
Transactions = Callable[[], AbstractContextManager[Rows]]


@dataclass(frozen=True)
class Asked(Generic[Wanted]):
    """What somebody asks of a list. Each page is read in a transaction of its own, in his scope: none is open while he reads."""

    wanted: Wanted
    caller: Caller
    transaction: Transactions


Pages = Callable[[Asked[Wanted]], Iterator[Sequence[Any]]]


@dataclass(frozen=True)
class Listing(Generic[Wanted]):
    """A list that is handed out at `/api/{name}/export`. `wanted` is the dependency that reads its questions, the same as the list's
    own; `pages` reads the rows, and `document` makes of each what the list shows of it."""

    name: str
    row: type[BaseModel]
    wanted: Callable[..., Wanted]
    pages: Pages[Wanted]
    document: Callable[[Any], Any] = lambda row: row

    @property
    def columns(self) -> list[str]:
        return [name for name in self.row.model_fields if name not in LEFT_OUT]

    def documents(self, asked: Asked[Wanted]) -> Iterator[list[Document]]:
        """The list a page at a time, as the caller may see it. Raises what reading it raises."""
        for page in self.pages(asked):
            yield [self._document(row, sees_payloads=asked.caller.sees_payloads) for row in page]

    def _document(self, row: Any, *, sees_payloads: bool) -> Document:
        told = self.row.model_validate(self.document(row), from_attributes=True)
        return shown(told, sees_payloads=sees_payloads).model_dump(mode="json", exclude=set(LEFT_OUT))


class PageOf(Protocol[Asking_contra]):
    """A list's own function that reads a page."""

    def __call__(self, _rows: Rows, /, *, wanted: Asking_contra, page: Page) -> Sequence[Any]: ...


def by_age(page_of: PageOf[Wanted], age: str) -> Pages[Wanted]:
    """Of a list that has cursors: newest first by `age` and id, each page behind the one before, whatever comes meanwhile."""

    def pages(asked: Asked[Wanted]) -> Iterator[Sequence[Any]]:
        after = None
        while True:
            with asked.transaction() as rows:
                found = page_of(rows, wanted=asked.wanted, page=Page(limit=ROWS_A_PAGE, after=after))
            yield found
            if len(found) < ROWS_A_PAGE:
                return
            after = value_of(found[-1], age), value_of(found[-1], "id")

    return pages


def at_once(all_of: Callable[[Rows, Wanted], Sequence[Any]]) -> Pages[Wanted]:
    """Of a list that is short by its nature."""

    def pages(asked: Asked[Wanted]) -> Iterator[Sequence[Any]]:
        with asked.transaction() as rows:
            found = all_of(rows, asked.wanted)
        yield found

    return pages


def value_of(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)
