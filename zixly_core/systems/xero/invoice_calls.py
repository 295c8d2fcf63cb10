"""Invoices and bills, read in batches: one call for each would cap an organisation at 60 a minute.

developer.xero.com/documentation/api/accounting/invoices
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from zixly_core.errors import RecordGone, Transient
from zixly_core.systems.xero.calls import IDS_PER_CALL, XeroCalls, canonical_id, equals, list_of
from zixly_core.systems.xero.element_results import INVOICES, ElementResult
from zixly_core.systems.xero.invoices import Invoice, invoice_from
from zixly_core.systems.xero.writes import ChangedStatus, NewInvoice, invoice_element, needs_four_places
from zixly_core.vendor_api import counted

# The largest page that Xero serves.
PAGE_OF_CHANGES = 1000
FOUR_PLACES = (("unitdp", "4"),)


@dataclass(frozen=True)
class Page:
    """One page of a listing."""

    number: int
    count: int
    invoices: tuple[Invoice, ...]


class InvoiceCalls(XeroCalls):
    def invoices_by_ids(self, ids: Iterable[str]) -> list[Invoice]:
        """The invoices with these ids, in no particular order, 40 a call. Those that are gone, or were never there, are missing.

        Raises `Transient` (`BudgetSpent` with the time to wait when the organisation's calls are used up) and `Permanent`.
        """
        return [invoice_from(item) for item in self._by_ids("/Invoices", "Invoices", ids)]

    def invoices_by_numbers(self, numbers: Iterable[str]) -> list[Invoice]:
        """The invoices with these numbers, bills too (whose numbers are not unique), whatever their status; 40 numbers a call.
        Raises as `invoices_by_ids`."""
        wanted = dict.fromkeys(number.strip() for number in numbers if number.strip())
        found: list[Any] = []
        rest = iter([number for number in wanted if "," not in number])
        while some := list(islice(rest, IDS_PER_CALL)):
            params = [("InvoiceNumbers", ",".join(some)), ("page", "1"), ("pageSize", str(PAGE_OF_CHANGES))]
            found += self._list("/Invoices", "Invoices", params, operation=f"look for {counted(some, 'invoice numbers')}")
        # A comma separates numbers, so one that holds a comma is asked for as text.
        conditions = [equals("InvoiceNumber", number) for number in wanted if "," in number]
        found += self._where("/Invoices", "Invoices", conditions, operation="look for invoice numbers with commas")
        return [invoice_from(item) for item in found]

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
        known = invoice_id_of(invoice_id)
        operation = f"read the PDF of invoice {known}"
        answer = self._api.get(f"/Invoices/{known}", operation=operation, headers={"Accept": "application/pdf"})
        if not answer.content.startswith(b"%PDF-"):
            raise Transient(f"xero's answer is no PDF when asked to {operation}; it is tried again.", reason="unreadable_answer")
        return answer.content

    def create_invoices(self, invoices: Sequence[NewInvoice], *, idempotency_key: str) -> dict[str, ElementResult]:
        """Create sales invoices in one call; one result for each, by its key. A number that is taken is `already_exists`.

        A call that failed as a whole raises, and then it is not known whether anything was created: look by number before creating
        again. `ValueError` for more than 50 invoices or a key that comes twice.
        """
        return self._put(
            "/Invoices",
            names=INVOICES,
            asked=[(invoice.key, invoice.number) for invoice in invoices],
            elements=[invoice_element(invoice) for invoice in invoices],
            operation=f"create {counted([invoice.number for invoice in invoices], 'invoices')}",
            idempotency_key=idempotency_key,
            more=FOUR_PLACES if needs_four_places(invoices) else (),
        )

    def change_invoice_status(self, invoice_id: str, status: ChangedStatus, *, idempotency_key: str) -> ElementResult:
        """Approve, void or delete an invoice. Drafts are deleted, approved ones voided, those with payments neither
        (`status_not_allowed`). Raises as `create_invoices`, and `RecordGone` for what is no id."""
        known = invoice_id_of(invoice_id)
        results = self._put(
            "/Invoices",
            names=INVOICES,
            asked=[(known, "")],
            elements=[{"InvoiceID": known, "Status": status}],
            operation=f"change invoice {known} to {status}",
            idempotency_key=idempotency_key,
            method="POST",
        )
        return results[known]


def invoice_id_of(text: str) -> str:
    known = canonical_id(text)
    if known is None:
        raise RecordGone("An id that is no UUID names no invoice in Xero.")
    return known


def page_count(document: dict[str, Any]) -> int:
    """How many pages there are; 1 where the answer does not tell."""
    pagination = document.get("pagination")
    count = pagination.get("pageCount") if isinstance(pagination, dict) else None
    return count if isinstance(count, int) else 1
