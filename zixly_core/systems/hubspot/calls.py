"""What all calls to one portal share: paths, batch reads, batch writes, lists of changes.

Pages: developers.hubspot.com/docs/api-reference/legacy/crm/using-object-apis , .../error-handling . What the calls look like is
recorded from the official Python client in tests/payloads/hubspot/requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import httpx2

from zixly_core.api_budget import UNLIMITED, CallBudget
from zixly_core.errors import Transient
from zixly_core.systems.hubspot.associations import after_in
from zixly_core.systems.hubspot.objects import record_from
from zixly_core.systems.hubspot.writes import Asked, NamesOf, WriteResult, trace_and_id, unread_errors, write_results
from zixly_core.tokens import AccessTokens
from zixly_core.vendor_api import VendorApi, counted

# The most that HubSpot takes in one batch.
MAX_INPUTS = 100
# The largest page of a search (developers.hubspot.com/docs/api-reference/legacy/crm/search-the-crm).
PAGE_OF_CHANGES = 200


class HubSpotCalls:
    """One portal, as far as all kinds of records are alike."""

    def __init__(
        self,
        http: httpx2.Client,
        *,
        base_url: str,
        version: str,
        tokens: AccessTokens,
        external_id: str,
        budget: CallBudget = UNLIMITED,
    ) -> None:
        """`version` is the part of the path that HubSpot retires from time to time: `2026-09`, or `v3` until September 2027.
        `external_id` is the portal."""
        self.portal_id = external_id
        self._version = version
        self._api = VendorApi(http, system="hubspot", base_url=base_url, tokens=tokens, budget=budget)

    def _path(self, object_type: str) -> str:
        return objects_path(self._version, object_type)

    def _batch_read(
        self, object_type: str, wanted: Sequence[str], *, properties: Sequence[str], operation: str, id_property: str | None = None
    ) -> Iterator[Any]:
        """The records that are there, 100 a call; `operation` names no address."""
        rest = iter(wanted)
        while some := list(islice(rest, MAX_INPUTS)):
            body: dict[str, Any] = {
                "propertiesWithHistory": [],
                "inputs": [{"id": name} for name in some],
                "properties": list(dict.fromkeys(properties)),
            }
            if id_property is not None:
                body["idProperty"] = id_property
            answer = self._api.post(f"{self._path(object_type)}/batch/read", operation=operation, body=body, is_read=True)
            yield from results_in(self._api.document_of(answer, operation=operation), operation=operation)

    def _by_ids(self, object_type: str, ids: Sequence[str], *, properties: Sequence[str]) -> Iterator[Any]:
        wanted = list(dict.fromkeys(ids))
        operation = f"read {counted(wanted, object_type.replace('_', ' '))}"
        return self._batch_read(object_type, wanted, properties=properties, operation=operation)

    def _batch_write(
        self,
        path: str,
        *,
        asked: Sequence[Asked],
        inputs: Sequence[dict[str, Any]],
        operation: str,
        names_of: NamesOf = trace_and_id,
    ) -> list[WriteResult]:
        """Write in one call; one result for each input, in their order. `ValueError` for more than `MAX_INPUTS`, or for two with a
        trace id or another name in common: fold them first."""
        names = [name for one in asked for name in (one.trace_id, *one.names)]
        if len(asked) > MAX_INPUTS or len(set(names)) < len(names):
            raise ValueError(f"At most {MAX_INPUTS} inputs, each of another record, go into one call; got {len(asked)}.")
        if not asked:
            return []
        answer = self._api.post(path, operation=operation, body={"inputs": list(inputs)}, is_read=False)
        return write_results(asked, self._api.document_of(answer, operation=operation), names_of=names_of)

    def _changed_since(
        self, object_type: str, since: datetime, *, changed: str, properties: Sequence[str], page_size: int
    ) -> Iterator[Any]:
        """Records changed at `since` or later, oldest change first; one may come again when it changed meanwhile.

        A search ends after 10,000 results, and records that change move while pages are read: the reading goes on from the last
        change seen, unless a whole page changed within the same moment.
        """
        after, seen = None, set[tuple[str, datetime]]()
        while True:
            document = self._search_page(object_type, since, changed=changed, properties=properties, after=after, page_size=page_size)
            items = [(record_from(item), item) for item in results_in(document, operation=f"list changed {object_type}")]
            yield from (item for record, item in items if (record.id, record.updated_at) not in seen)
            following = after_in(document)
            if following is None or not items:
                return
            seen = {(record.id, record.updated_at) for record, _ in items}
            reached = items[-1][0].updated_at - timedelta(milliseconds=1)
            since, after = (reached, None) if reached > since else (since, following)

    def _search_page(
        self, object_type: str, since: datetime, *, changed: str, properties: Sequence[str], after: str | None, page_size: int
    ) -> dict[str, Any]:
        operation = f"list changed {object_type}"
        moment = str(int(since.timestamp() * 1000))
        body: dict[str, Any] = {
            "limit": page_size,
            "after": after or "0",
            "sorts": [changed],
            "properties": list(dict.fromkeys(properties)),
            "filterGroups": [{"filters": [{"propertyName": changed, "operator": "GTE", "value": moment}]}],
        }
        answer = self._api.post(f"{self._path(object_type)}/search", operation=operation, body=body, is_read=True)
        return self._api.document_of(answer, operation=operation)


def objects_path(version: str, object_type: str) -> str:
    return f"{api_path(version, 'objects')}/{object_type}"


def api_path(version: str, api: str, *, numbered: str | None = None) -> str:
    """Dated versions stand after the name of the API, numbered ones before it; `numbered` where that API's number is another one
    (developers.hubspot.com/docs/api-reference/legacy/migration-guide)."""
    return f"/crm/{numbered or version}/{api}" if version.startswith("v") else f"/crm/{api}/{version}"


def results_in(document: dict[str, Any], *, operation: str) -> list[Any]:
    """The results of a read. Raises `Transient` when some inputs failed otherwise than by not being there."""
    failed, results = unread_errors(document), document.get("results")
    if failed or not isinstance(results, list):
        words = f" ({', '.join(sorted(set(failed)))})" if failed else ""
        raise Transient(f"hubspot could not tell all when asked to {operation}{words}; it is tried again.", reason="partial_read")
    return results
