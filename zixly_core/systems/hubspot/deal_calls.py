"""Deals and what belongs to them: companies, line items, stages; and which records belong to which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from zixly_core.systems.hubspot.associations import Association, pages_in, plural_of
from zixly_core.systems.hubspot.calls import MAX_INPUTS, PAGE_OF_CHANGES, HubSpotCalls, api_path, results_in
from zixly_core.systems.hubspot.companies import COMPANY_PROPERTIES, Company, company_from
from zixly_core.systems.hubspot.deals import DEAL_PROPERTIES, Deal, deal_from
from zixly_core.systems.hubspot.line_items import LINE_ITEM_PROPERTIES, LineItem, line_item_from
from zixly_core.systems.hubspot.pipelines import Stage, stages_in
from zixly_core.vendor_api import counted


class DealCalls(HubSpotCalls):
    def deals_by_ids(self, ids: Iterable[str], *, properties: Sequence[str] = ()) -> list[Deal]:
        """The deals with these ids, with these properties beside the usual ones; those that are gone are missing. 100 a call.
        Raises `Transient` and `Permanent`."""
        return [deal_from(item) for item in self._by_ids("deals", list(ids), properties=(*DEAL_PROPERTIES, *properties))]

    def companies_by_ids(self, ids: Iterable[str], *, properties: Sequence[str] = ()) -> list[Company]:
        """The companies with these ids; as `deals_by_ids`."""
        return [company_from(item) for item in self._by_ids("companies", list(ids), properties=(*COMPANY_PROPERTIES, *properties))]

    def line_items_by_ids(self, ids: Iterable[str], *, properties: Sequence[str] = ()) -> list[LineItem]:
        """The line items with these ids; as `deals_by_ids`."""
        return [line_item_from(item) for item in self._by_ids("line_items", list(ids), properties=(*LINE_ITEM_PROPERTIES, *properties))]

    def deals_changed_since(self, since: datetime, *, properties: Sequence[str] = (), page_size: int = PAGE_OF_CHANGES) -> Iterator[Deal]:
        """Deals changed at `since` or later, oldest change first; by search, so changes of the last moments may be missing."""
        named = (*DEAL_PROPERTIES, *properties)
        return map(deal_from, self._changed_since("deals", since, changed="hs_lastmodifieddate", properties=named, page_size=page_size))

    def deal_stages(self) -> dict[str, Stage]:
        """The stages of all pipelines of deals, by id. Raises `Transient` and `Permanent`."""
        operation = "read the pipelines of deals"
        answer = self._api.get(f"{api_path(self._version, 'pipelines')}/deals", operation=operation)
        results = results_in(self._api.document_of(answer, operation=operation), operation=operation)
        return {stage.id: stage for stage in stages_in(results)}

    def associated(self, from_type: str, to_type: str, ids: Iterable[str]) -> dict[str, list[str]]:
        """The ids of the records that belong to each of these, the primary one first, then the oldest; those without any are missing.

        Types are `contact`, `contacts` and so on. Up to date at once, unlike a search. Raises `Transient` and `Permanent`.
        """
        path = f"{api_path(self._version, 'associations', numbered='v4')}/{plural_of(from_type)}/{plural_of(to_type)}/batch/read"
        found: dict[str, list[Association]] = {}
        waiting: Iterator[dict[str, str]] = iter([{"id": one} for one in dict.fromkeys(ids)])
        while some := list(islice(waiting, MAX_INPUTS)):
            operation = f"read the {plural_of(to_type)} of {counted([one['id'] for one in some], plural_of(from_type))}"
            answer = self._api.post(path, operation=operation, body={"inputs": some}, is_read=True)
            rest: list[dict[str, str]] = []
            for page in pages_in(results_in(self._api.document_of(answer, operation=operation), operation=operation)):
                found.setdefault(page.from_id, []).extend(page.associations)
                if page.after is not None:
                    rest.append({"id": page.from_id, "after": page.after})
            waiting = iter([*rest, *waiting])
        return {one: ordered(associations) for one, associations in found.items() if associations}


def ordered(associations: Sequence[Association]) -> list[str]:
    return list(dict.fromkeys(one.to_id for one in sorted(associations, key=lambda one: one.rank)))
