"""Sorted lists, kept until the shop changes: who pages through 50,000 orders asks for the same list again and again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

KEPT = 8


class KeptLists:
    """The few newest lists of one shop."""

    def __init__(self) -> None:
        self._lists: dict[Hashable, tuple[int, list[Any]]] = {}

    def get(self, key: Hashable, *, revision: int, make: Callable[[], list[Any]]) -> list[Any]:
        """The list as it is at this revision of the shop; not to be changed."""
        known = self._lists.pop(key, None)
        found = known if known is not None and known[0] == revision else (revision, make())
        self._lists[key] = found
        if len(self._lists) > KEPT:
            self._lists.pop(next(iter(self._lists)))
        return found[1]
