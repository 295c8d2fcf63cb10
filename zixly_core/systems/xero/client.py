"""Xero's Accounting API, read in batches: one call for each invoice would cap an organisation at 60 invoices a minute.

Pages: developer.xero.com/documentation/api/accounting/invoices , .../documentation/oauth2/limits . What the calls look like is
recorded from the official Python client in tests/payloads/xero/requests; booleans are in lower case, as the official
description wants them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2

from zixly_core.api_budget import OnBudget, budget_of, ignore_budget
from zixly_core.errors import RecordGone, Transient
from zixly_core.systems.xero.invoices import Contact, Invoice, contact_from, invoice_from
from zixly_core.tokens import AccessTokens
from zixly_core.vendor_api import VendorApi, counted

# How many ids fit into one call is not published: 40 make a URL of about 1,600 characters.
IDS_PER_CALL = 40
# The default page; more than IDS_PER_CALL, so that one page always holds the answer.
PAGE_OF_IDS = 100
# The largest page that Xero serves.
PAGE_OF_CHANGES = 1000

BUDGET_WINDOWS = {
    "x-minlimit-remaining": "minute",
    "x-daylimit-remaining": "day",
    "x-appminlimit-remaining": "app_minute",
}


@dataclass(frozen=True)
class Page:
    """One page of a listing."""

    number: int
    count: int
    invoices: tuple[Invoice, ...]


class XeroClient:
    """One organisation's books. Safe to share between threads."""

    def __init__(
        self,
        http: httpx2.Client,
        *,
        base_url: str,
        tokens: AccessTokens,
        external_id: str,
        on_budget: OnBudget = ignore_budget,
    ) -> None:
        """`external_id` is the organisation (`xero-tenant-id`); `base_url` ends in `/api.xro/2.0`."""
        self._external_id = external_id
        self._on_budget = on_budget
        self._api = VendorApi(
            http,
            system="xero",
            base_url=base_url,
            tokens=tokens,
            on_answer=self._tell_budget,
            headers={"xero-tenant-id": external_id},
        )

    def invoices_by_ids(self, ids: Iterable[str]) -> list[Invoice]:
        """The invoices with these ids, in no particular order, 40 a call. Those that are gone, or were never there, are missing.

        Raises `Transient` (`BudgetSpent` with the time to wait when the organisation's calls are used up) and `Permanent`.
        """
        return [invoice_from(item) for some in chunks_of_ids(ids) for item in self._items("/Invoices", "Invoices", some)]

    def contacts_by_ids(self, ids: Iterable[str]) -> list[Contact]:
        """The contacts with these ids, archived ones too, as `invoices_by_ids` reads invoices. Here a contact without the field
        has no e-mail address."""
        contacts = [
            contact_from(item)
            for some in chunks_of_ids(ids)
            for item in self._items("/Contacts", "Contacts", some, more=(("includeArchived", "true"),))
        ]
        return [replace(contact, email=contact.email or "") for contact in contacts]

    def with_contact_emails(self, invoices: Sequence[Invoice]) -> list[Invoice]:
        """The same invoices, the e-mail addresses that their answers did not tell read from the contacts, in batches."""
        untold = {invoice.contact.id for invoice in invoices if invoice.contact.email is None}
        if not untold:
            return list(invoices)
        told = {contact.id: contact for contact in self.contacts_by_ids(sorted(untold))}
        return [
            replace(invoice, contact=told.get(invoice.contact.id, invoice.contact)) if invoice.contact.email is None else invoice
            for invoice in invoices
        ]

    def invoices_changed_since(
        self, since: datetime, *, statuses: Sequence[str] = ("AUTHORISED", "PAID"), page_size: int = PAGE_OF_CHANGES
    ) -> Iterator[Invoice]:
        """Invoices changed at `since` or later, oldest change first; one may come again when it changed meanwhile.

        A record that changes while pages are read moves to their end, and the others move up: counting pages would step over one
        of them. So the reading goes on from the last change seen and not from the next page, unless a whole page changed within
        the same second, as after an import.
        """
        number, seen = 1, set[tuple[str, datetime]]()
        while True:
            page = self.changes_page(since, number=number, statuses=statuses, page_size=page_size)
            yield from (invoice for invoice in page.invoices if (invoice.id, invoice.updated_at) not in seen)
            if page.number >= page.count or not page.invoices:
                return
            seen = {(invoice.id, invoice.updated_at) for invoice in page.invoices}
            # Two seconds back: the header is cut to seconds, and whether it includes its own second is not documented.
            reached = page.invoices[-1].updated_at - timedelta(seconds=2)
            since, number = (reached, 1) if reached > since else (since, number + 1)

    def changes_page(self, since: datetime, *, number: int, statuses: Sequence[str], page_size: int) -> Page:
        """One page of the invoices changed since, by the moment of their change."""
        operation = f"list changed invoices (page {number})"
        params = {
            "order": "UpdatedDateUTC ASC",
            "Statuses": ",".join(statuses),
            "page": str(number),
            "summaryOnly": "false",
            "pageSize": str(page_size),
        }
        header = {"If-Modified-Since": since.astimezone(UTC).isoformat(timespec="seconds")}
        answer = self._api.get("/Invoices", operation=operation, params=params, headers=header)
        document = self._api.document_of(answer, operation=operation)
        invoices = tuple(invoice_from(item) for item in list_of(document, "Invoices"))
        return Page(number=number, count=page_count(document), invoices=invoices)

    def invoice_pdf(self, invoice_id: str) -> bytes:
        """The invoice as the PDF that Xero sends to customers. Raises `RecordGone` when there is no such invoice."""
        known = canonical_id(invoice_id)
        if known is None:
            raise RecordGone("An id that is no UUID names no invoice in Xero.")
        operation = f"read the PDF of invoice {known}"
        answer = self._api.get(f"/Invoices/{known}", operation=operation, headers={"Accept": "application/pdf"})
        if not answer.content.startswith(b"%PDF-"):
            raise Transient(f"xero's answer is no PDF when asked to {operation}; it is tried again.", reason="unreadable_answer")
        return answer.content

    def _items(self, path: str, name: str, ids: Sequence[str], *, more: Sequence[tuple[str, str]] = ()) -> list[Any]:
        """The elements of one `IDs=` call."""
        operation = f"read {counted(ids, name.lower())}"
        params = [("IDs", ",".join(ids)), ("page", "1"), ("pageSize", str(PAGE_OF_IDS)), *more]
        answer = self._api.get(path, operation=operation, params=params)
        return list_of(self._api.document_of(answer, operation=operation), name)

    def _tell_budget(self, answer: httpx2.Response) -> None:
        self._on_budget(budget_of(answer, system="xero", external_id=self._external_id, windows=BUDGET_WINDOWS))


def chunks_of_ids(ids: Iterable[str]) -> Iterator[list[str]]:
    """Each id once, in calls of `IDS_PER_CALL`. What is no UUID names no record, and would have the whole call refused."""
    wanted = list(dict.fromkeys(text for text in map(canonical_id, ids) if text is not None))
    for start in range(0, len(wanted), IDS_PER_CALL):
        yield wanted[start : start + IDS_PER_CALL]


def canonical_id(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def list_of(document: dict[str, Any], name: str) -> list[Any]:
    """The elements of an answer; an answer without them is a failed read and not an empty one."""
    items = document.get(name)
    if not isinstance(items, list):
        raise Transient(f"xero's answer holds no {name}; it is tried again.", reason="unreadable_answer")
    return items


def page_count(document: dict[str, Any]) -> int:
    """How many pages there are; 1 where the answer does not tell."""
    pagination = document.get("pagination")
    count = pagination.get("pageCount") if isinstance(pagination, dict) else None
    return count if isinstance(count, int) else 1
