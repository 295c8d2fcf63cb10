"""What all calls to one workspace share: envelope, fields, pages, batches.

Pages: developers.asana.com/docs/pagination , .../docs/batch-requests , .../docs/rate-limits . What the calls look like is recorded
from the official Python client in tests/payloads/asana/requests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx2

from zixly_core.api_budget import UNLIMITED, CallBudget
from zixly_core.errors import Transient
from zixly_core.systems.asana.fields import unexpected
from zixly_core.tokens import AccessTokens
from zixly_core.vendor_api import VendorApi

# The largest page that Asana serves.
PAGE_SIZE = 100
# The most actions in one batch; each counts as a request.
ACTIONS_PER_CALL = 10


class AsanaCalls:
    """One workspace, as far as all kinds of records are alike."""

    def __init__(
        self,
        http: httpx2.Client,
        *,
        base_url: str,
        tokens: AccessTokens,
        external_id: str,
        budget: CallBudget = UNLIMITED,
    ) -> None:
        """`external_id` is the workspace; `base_url` ends in `/api/1.0`."""
        self._workspace = external_id
        self._api = VendorApi(http, system="asana", base_url=base_url, tokens=tokens, budget=budget)

    def _get(self, path: str, *, fields: Sequence[str], operation: str) -> Any:
        answer = self._api.get(path, operation=operation, params=[("opt_fields", ",".join(fields))])
        return self._data(answer, operation=operation)["data"]

    def _post(self, path: str, data: Mapping[str, object], *, fields: Sequence[str] = (), operation: str) -> dict[str, Any]:
        """Write, and give the whole answer. It is not known whether anything was written after an error without an answer."""
        params = [("opt_fields", ",".join(fields))] if fields else []
        answer = self._api.post(path, operation=operation, body={"data": data}, is_read=False, params=params)
        return self._data(answer, operation=operation)

    def _pages(self, path: str, params: Sequence[tuple[str, str]], *, fields: Sequence[str], operation: str) -> Iterator[Any]:
        """The elements of a list, page by page."""
        offset: str | None = None
        while True:
            paging = [("limit", str(PAGE_SIZE)), *([("offset", offset)] if offset else []), ("opt_fields", ",".join(fields))]
            answer = self._api.get(path, operation=operation, params=[*params, *paging])
            document = self._data(answer, operation=operation)
            if not isinstance(document["data"], list):
                raise unexpected("data")
            yield from document["data"]
            offset = offset_in(document)
            if offset is None:
                return

    def _data(self, answer: httpx2.Response, *, operation: str) -> dict[str, Any]:
        """The envelope. One without `data` is a failed read and not an empty one."""
        document = self._api.document_of(answer, operation=operation)
        if "data" not in document:
            raise Transient(f"asana's answer holds no data when asked to {operation}; it is tried again.", reason="unreadable_answer")
        return document


def offset_in(document: Mapping[str, Any]) -> str | None:
    """Where the next page begins, None on the last one."""
    following = document.get("next_page")
    offset = following.get("offset") if isinstance(following, dict) else None
    return offset if isinstance(offset, str) and offset else None
