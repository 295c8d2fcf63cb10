"""Reading invoices (developer.xero.com/documentation/api/accounting/invoices)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, not_found, records, refusal
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.documents import invoice_document
from zixly_sandbox.xero.entries import Invoice
from zixly_sandbox.xero.pdf import invoice_pdf
from zixly_sandbox.xero.query import Field, Listing

FIELDS: Mapping[str, Field] = {
    "InvoiceID": lambda item: item.id,
    "InvoiceNumber": lambda item: item.number,
    "Reference": lambda item: item.reference,
    "Type": lambda item: item.type,
    "Status": lambda item: item.status,
    "CurrencyCode": lambda item: item.currency,
    "Contact.ContactID": lambda item: item.contact.id,
    "Contact.Name": lambda item: item.contact.name,
    "Date": lambda item: item.day,
    "DueDate": lambda item: item.due_day,
    "Total": lambda item: item.total / 100,
    "AmountDue": lambda item: item.due / 100,
    "AmountPaid": lambda item: item.paid / 100,
    "UpdatedDateUTC": lambda item: item.updated_at,
}


def list_invoices(call: Call, visit: Visit) -> Answer:
    """A page of invoices. Ids that are not there are missing from the answer. Lists that ask for no page are summaries."""
    try:
        listing: Listing[Invoice] = Listing(call, fields=FIELDS)
        found, page = listing.page(listing.chosen(wanted(visit.books, listing)))
    except Refused as error:
        return refusal(error)
    summary = listing.is_summary or not (listing.is_paged or listing.text("IDs"))
    documents = [invoice_document(invoice, books=visit.books, summary=summary) for invoice in found]
    return records("Invoices", documents, now_ms=visit.desk.clock.milliseconds(), page=page)


def wanted(books: Books, listing: Listing[Invoice]) -> Iterable[Invoice]:
    """The invoices that the list parameters name. Deleted ones only come when asked for by id or status."""
    ids, statuses = listing.ids("IDs"), listing.words("Statuses")
    numbers, contacts = listing.words("InvoiceNumbers"), listing.ids("ContactIDs")
    term = listing.text("searchTerm").casefold()
    found = books.invoices.values() if ids is None else [books.invoices[key] for key in dict.fromkeys(ids) if key in books.invoices]
    return (
        item
        for item in found
        if (statuses is None or item.status in statuses)
        and (numbers is None or item.number in numbers)
        and (contacts is None or item.contact.id in contacts)
        and (not term or term in f"{item.number} {item.reference} {item.contact.name}".casefold())
        and (item.created_by_app or not listing.flag("createdByMyApp"))
        and (item.status != "DELETED" or ids is not None or statuses is not None)
    )


def one_invoice(call: Call, visit: Visit) -> Answer:
    """An invoice by id or number, as JSON or, when the caller accepts `application/pdf`, as the document for the customer."""
    key = call.params["invoice"]
    invoice = visit.books.invoices.get(key.lower()) or visit.books.sales_invoice(key)
    if invoice is None:
        return not_found()
    if "application/pdf" in call.headers.get("accept", ""):
        return Answer(200, invoice_pdf(invoice, seller=visit.books.name), b"application/pdf")
    return records("Invoices", [invoice_document(invoice, books=visit.books)], now_ms=visit.desk.clock.milliseconds())
