"""The kinds of associations by number (developers.hubspot.com/docs/guides/api/crm/associations/associations-v4). Each has a
number for either direction."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from zixly_sandbox.hubspot.answers import Refused

# Object type, other type, the number from the first to the second, and back.
UNLABELLED = (
    ("contacts", "companies", 279, 280),
    ("contacts", "deals", 4, 3),
    ("deals", "companies", 341, 342),
    ("deals", "line_items", 19, 20),
    ("notes", "contacts", 202, 201),
    ("notes", "companies", 190, 189),
    ("notes", "deals", 214, 213),
    ("tasks", "contacts", 204, 203),
    ("tasks", "companies", 192, 191),
    ("tasks", "deals", 216, 215),
)
PRIMARY = "Primary"
PRIMARIES = (("contacts", "companies", 1, 2), ("deals", "companies", 5, 6))
# Labels that a portal makes itself are numbered from here.
FIRST_OWN = 1001


@dataclass(frozen=True)
class AssociationType:
    """One kind of association, in one direction; `inverse` is its number seen from the other side."""

    number: int
    source: str
    target: str
    inverse: int
    label: str | None = None
    is_own: bool = False

    @property
    def category(self) -> str:
        return "USER_DEFINED" if self.is_own else "HUBSPOT_DEFINED"

    def document(self) -> dict[str, Any]:
        """As lists of associations show it. The unlabelled one has no label; the description knows no null."""
        named = {"label": self.label} if self.label else {}
        return {"category": self.category, "typeId": self.number, **named}

    def spec(self) -> dict[str, Any]:
        return {"associationCategory": self.category, "associationTypeId": self.number}


class AssociationTypes:
    """Those of one portal: HubSpot's, and labels of its own."""

    def __init__(self) -> None:
        self._known: dict[int, AssociationType] = {}
        self._own = itertools.count(FIRST_OWN)
        for rows, label in ((UNLABELLED, None), (PRIMARIES, PRIMARY)):
            for source, target, there, back in rows:
                self._add(source, target, there=there, back=back, label=label)

    def get(self, number: object, *, source: str, target: str | None = None) -> AssociationType:
        """Raises `Refused` for a number that is none, or does not lead from and to these types."""
        found = self._known.get(number) if isinstance(number, int) else None
        if found is None or found.source != source or target not in {None, found.target}:
            raise Refused(f"invalid association type {number} from {source} to {target or 'anything'}", category="VALIDATION_ERROR")
        return found

    def default(self, source: str, target: str) -> AssociationType:
        """The unlabelled one. Raises `Refused` when these types cannot be joined."""
        found = self.between(source, target)
        if not found:
            raise Refused(f"There is no association type between {source} and {target}.")
        return found[0]

    def between(self, source: str, target: str) -> list[AssociationType]:
        """All of one direction, the unlabelled one first."""
        found = [item for item in self._known.values() if (item.source, item.target) == (source, target)]
        return sorted(found, key=lambda item: item.label is not None)

    def inverse(self, kind: AssociationType) -> AssociationType:
        return self._known[kind.inverse]

    def primary(self, source: str, target: str) -> AssociationType | None:
        """The kind that marks the first company, where there is one."""
        return next((item for item in self.between(source, target) if item.label == PRIMARY), None)

    def add_label(self, source: str, target: str, *, label: str) -> list[AssociationType]:
        """A label of the portal's own, both directions. Raises `Refused` when the types cannot be joined."""
        self.default(source, target)
        there, back = next(self._own), next(self._own)
        self._add(source, target, there=there, back=back, label=label, is_own=True)
        return [self._known[there], self._known[back]]

    def _add(self, source: str, target: str, *, there: int, back: int, label: str | None, is_own: bool = False) -> None:
        self._known[there] = AssociationType(there, source, target, back, label, is_own)
        self._known[back] = AssociationType(back, target, source, there, label, is_own)
