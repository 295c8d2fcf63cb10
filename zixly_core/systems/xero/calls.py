"""What all calls to one organisation share: lists by ids, lists by a condition, writes of elements.

Pages: developer.xero.com/documentation/api/accounting/requests-and-responses , .../documentation/oauth2/limits . What the calls
look like is recorded from the official Python client in tests/payloads/xero/requests; booleans are in lower case, as the official
description wants them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

import httpx2

from zixly_core.api_budget import UNLIMITED, CallBudget
from zixly_core.errors import Transient
from zixly_core.systems.xero.element_results import ElementResult, Names, element_results
from zixly_core.systems.xero.writes import ELEMENTS_PER_CALL
from zixly_core.tokens import AccessTokens
from zixly_core.vendor_api import Params, VendorApi, counted

# How many ids fit into one call is not published: 40 make a URL of about 1,600 characters.
IDS_PER_CALL = 40
# The default page; more than IDS_PER_CALL, so that one page always holds the answer.
PAGE_OF_IDS = 100
# How long a `where` may get before it is encoded, which lengthens it by a half.
WHERE_LENGTH = 1_000
# developer.xero.com/documentation/guides/idempotent-requests/idempotency
MAX_KEY_LENGTH = 128


class XeroCalls:
    """One organisation's books, as far as all kinds of records are alike."""

    def __init__(
        self,
        http: httpx2.Client,
        *,
        base_url: str,
        tokens: AccessTokens,
        external_id: str,
        budget: CallBudget = UNLIMITED,
    ) -> None:
        """`external_id` is the organisation (`xero-tenant-id`); `base_url` ends in `/api.xro/2.0`."""
        self._api = VendorApi(
            http,
            system="xero",
            base_url=base_url,
            tokens=tokens,
            headers={"xero-tenant-id": external_id},
            budget=budget,
        )

    def _by_ids(self, path: str, name: str, ids: Iterable[str], *, more: Sequence[tuple[str, str]] = ()) -> Iterator[Any]:
        """The elements with these ids, 40 a call; those that are gone are missing."""
        for some in chunks_of_ids(ids):
            operation = f"read {counted(some, name.lower())}"
            params = [("IDs", ",".join(some)), ("page", "1"), ("pageSize", str(PAGE_OF_IDS)), *more]
            yield from self._list(path, name, params, operation=operation)

    def _where(self, path: str, name: str, conditions: Iterable[str], *, more: Params = (), operation: str) -> Iterator[Any]:
        """The elements for which one of the conditions holds, as many conditions a call as a URL takes."""
        for some in joined(conditions):
            yield from self._list(path, name, [("where", some), *dict(more).items()], operation=operation)

    def _list(self, path: str, name: str, params: Params = (), *, operation: str) -> list[Any]:
        """The elements of one call. An answer without them is a failed read and not an empty one."""
        answer = self._api.get(path, operation=operation, params=params)
        return list_of(self._api.document_of(answer, operation=operation), name)

    def _put(
        self,
        path: str,
        *,
        names: Names,
        asked: Sequence[tuple[str, str]],
        elements: Sequence[Mapping[str, object]],
        operation: str,
        idempotency_key: str,
        more: Params = (),
        method: str = "PUT",
    ) -> dict[str, ElementResult]:
        """Write elements in one call, with `summarizeErrors=false`; `asked` is key and own name of each.

        `PUT` creates only, `POST` updates what is there. An error of the whole call raises, and then it is not known whether anything
        was written; the same key brings the same answer for 6 minutes, later the books have to be looked at.
        `ValueError` for more than 50 elements or for two with the same key.
        """
        if len(asked) > ELEMENTS_PER_CALL or len({key for key, _ in asked}) < len(asked):
            raise ValueError(f"At most {ELEMENTS_PER_CALL} elements, each with a key of its own, go into one call; got {len(asked)}.")
        if not asked:
            return {}
        send = self._api.put if method == "PUT" else self._post
        headers = {"Idempotency-Key": short_key(idempotency_key)}
        params = [("summarizeErrors", "false"), *dict(more).items()]
        answer = send(path, operation=operation, body={names.list: list(elements)}, params=params, headers=headers)
        document = self._api.document_of(answer, operation=operation)
        return element_results(asked, list_of(document, names.list), names=names, operation=operation)

    def _post(self, path: str, *, operation: str, body: Mapping[str, Any], params: Params, headers: Mapping[str, str]) -> httpx2.Response:
        return self._api.post(path, operation=operation, body=body, is_read=False, params=params, headers=headers)


def chunks_of_ids(ids: Iterable[str]) -> Iterator[list[str]]:
    """Each id once, in calls of `IDS_PER_CALL`. What is no UUID names no record, and would have the whole call refused."""
    wanted = iter(dict.fromkeys(text for text in map(canonical_id, ids) if text is not None))
    while some := list(islice(wanted, IDS_PER_CALL)):
        yield some


def canonical_id(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def joined(conditions: Iterable[str]) -> Iterator[str]:
    """Conditions joined by OR, as long as a URL may get."""
    text = ""
    for condition in conditions:
        longer = f"{text} OR {condition}" if text else condition
        if text and len(longer) > WHERE_LENGTH:
            yield text
            longer = condition
        text = longer
    if text:
        yield text


def equals(field: str, value: str) -> str:
    """A condition on text. How to write a quotation mark in one is nowhere told: see `is_quotable`."""
    return f'{field}=="{value}"'


def is_quotable(value: str) -> bool:
    return not set(value) & set('"\\\r\n')


def short_key(key: str) -> str:
    """The key as a header takes it: longer ones are told by their digest, so that the same key stays the same."""
    is_fit = len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()
    return key if is_fit else hashlib.sha256(key.encode()).hexdigest()


def list_of(document: dict[str, Any], name: str) -> list[Any]:
    """The elements of an answer; an answer without them is a failed read and not an empty one."""
    items = document.get(name)
    if not isinstance(items, list):
        raise Transient(f"xero's answer holds no {name}; it is tried again.", reason="unreadable_answer")
    return items
