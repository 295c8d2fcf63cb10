"""Which records belong to which (developers.hubspot.com/docs/api-reference/crm-associations-v4/guide)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zixly_core.systems.hubspot.objects import unexpected

# The plural that paths name a type by.
PLURALS = {"contact": "contacts", "company": "companies", "deal": "deals", "note": "notes", "line_item": "line_items", "task": "tasks"}
PRIMARY = "primary"


@dataclass(frozen=True)
class Association:
    """That a record belongs to another one; the primary one of several is named so by HubSpot."""

    to_id: str
    is_primary: bool

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Primary ones first, then the oldest: ids grow."""
        return (not self.is_primary, int(self.to_id) if self.to_id.isdecimal() else 0, self.to_id)


@dataclass(frozen=True)
class AssociationPage:
    """Associations of one record, and where the rest of them begins."""

    from_id: str
    associations: list[Association] = field(default_factory=list)
    after: str | None = None


def plural_of(object_type: str) -> str:
    """The name of an object type in paths, given in the singular or as it is."""
    return PLURALS.get(object_type, object_type)


def pages_in(results: object) -> Iterator[AssociationPage]:
    """The pages in the answer to a batch. Raises `Permanent` (`unexpected_answer`)."""
    if not isinstance(results, list):
        raise unexpected("associations")
    for item in results:
        source, targets = (item.get("from"), item.get("to")) if isinstance(item, dict) else (None, None)
        if not isinstance(source, dict) or not isinstance(targets, list):
            raise unexpected("associations")
        yield AssociationPage(str(source.get("id", "")), [association_from(one) for one in targets], after_in(item))


def association_from(item: object) -> Association:
    target = item.get("toObjectId") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(target, str | int) or target == "":
        raise unexpected("an association")
    types = item.get("associationTypes")
    labels = [str(one.get("label") or "").lower() for one in types if isinstance(one, dict)] if isinstance(types, list) else []
    return Association(str(target), PRIMARY in labels)


def after_in(document: Mapping[str, Any]) -> str | None:
    """Where the next page begins, None on the last one."""
    paging = document.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    after = following.get("after") if isinstance(following, dict) else None
    return str(after) if isinstance(after, str | int) and after != "" else None
