"""Connections: cursors, and lists cut into pages."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError

MAX_PAGE = 250
# Paging ends here (shopify.dev/docs/api/usage/limits); bulk operations are for more.
MAX_PAGED = 25_000


@dataclass(frozen=True, slots=True)
class Edge:
    cursor: str
    node: Any


@dataclass(frozen=True, slots=True)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Connection:
    edges: list[Edge]
    page_info: PageInfo

    @property
    def nodes(self) -> list[Any]:
        return [edge.node for edge in self.edges]


def wrong_argument(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})


def listed(items: Sequence[Any], *, unlimited: bool = False, **arguments: Any) -> Connection:
    """A short list, paged by place."""
    ordered = list(reversed(items)) if arguments.get("reverse") else list(items)
    return paged(ordered, key=lambda place, _item: [place], unlimited=unlimited, **{**arguments, "reverse": False})


def paged(
    items: Sequence[Any],
    *,
    key: Callable[[int, Any], list[Any]],
    unlimited: bool = False,
    first: int | None = None,
    last: int | None = None,
    after: str | None = None,
    before: str | None = None,
    **_other: Any,
) -> Connection:
    """A page of items that are in order. `key` gives what a cursor keeps of an item: it must grow along the list, or fall along it."""
    start = position(items, key, read_cursor(after), behind=True) if after is not None else 0
    stop = position(items, key, read_cursor(before), behind=False) if before is not None else len(items)
    places = range(start, max(start, stop))
    if unlimited:
        chosen = places
    else:
        size = page_size(first, last)
        if first is not None and start + size > MAX_PAGED:
            raise wrong_argument(f"Paging ends at {MAX_PAGED} objects; use a bulk operation or a narrower query.")
        chosen = places[:size] if first is not None else places[max(0, len(places) - size) :]
    edges = [Edge(written_cursor(key(place, items[place])), items[place]) for place in chosen]
    has_next = bool(chosen) and chosen[-1] < len(items) - 1
    has_previous = bool(chosen) and chosen[0] > 0
    return Connection(edges, PageInfo(has_next, has_previous, edges[0].cursor if edges else None, edges[-1].cursor if edges else None))


def page_size(first: int | None, last: int | None) -> int:
    """Raises `GraphQLError` unless one of both is given and within bounds."""
    size = first if first is not None else last
    if size is None:
        raise wrong_argument("you must provide one of first or last")
    if first is not None and last is not None:
        raise wrong_argument("providing both first and last is not supported")
    if size < 1:
        raise wrong_argument("first and last must be at least 1")
    if size > MAX_PAGE:
        raise wrong_argument(f"first and last must be at most {MAX_PAGE}")
    return size


def position(items: Sequence[Any], key: Callable[[int, Any], list[Any]], mark: list[Any], *, behind: bool) -> int:
    """Where the item of a cursor is, or would be: it may have changed since. With `behind` the place after it."""
    falls = len(items) > 1 and key(0, items[0]) > key(len(items) - 1, items[-1])
    low, high = 0, len(items)
    while low < high:
        middle = (low + high) // 2
        found = key(middle, items[middle])
        is_earlier = found > mark if falls else found < mark
        if is_earlier or (behind and found == mark):
            low = middle + 1
        else:
            high = middle
    return low


def written_cursor(mark: list[Any]) -> str:
    return b64encode(orjson.dumps(mark)).decode()


def read_cursor(text: str) -> list[Any]:
    """Raises `GraphQLError` for a text that is no cursor."""
    try:
        mark = orjson.loads(b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        mark = None
    if not isinstance(mark, list):
        raise wrong_argument(f"`{text}` is not a valid cursor")
    return mark
