"""Reading credit notes and overpayments (developer.xero.com/documentation/api/accounting/creditnotes, .../overpayments)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, not_found, records, refusal
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.credit_documents import credit_note_document, overpayment_document
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.entries import Credit
from zixly_sandbox.xero.query import Field, Listing

SHARED: Mapping[str, Field] = {
    "Type": lambda item: item.type,
    "Status": lambda item: item.status,
    "CurrencyCode": lambda item: item.currency,
    "Contact.ContactID": lambda item: item.contact.id,
    "Contact.Name": lambda item: item.contact.name,
    "Date": lambda item: item.day,
    "UpdatedDateUTC": lambda item: item.updated_at,
}
NOTE_FIELDS: Mapping[str, Field] = {
    **SHARED,
    "CreditNoteID": lambda item: item.id,
    "CreditNoteNumber": lambda item: item.number,
    "Reference": lambda item: item.reference,
}
OVERPAYMENT_FIELDS: Mapping[str, Field] = {**SHARED, "OverpaymentID": lambda item: item.id}
Written = Callable[..., dict[str, Any]]


def list_credit_notes(call: Call, visit: Visit) -> Answer:
    """Credit notes have no `IDs` parameter: they are found with `where`. Lists that ask for no page are summaries."""
    return listed(call, visit, "CreditNotes", fields=NOTE_FIELDS, written=credit_note_document, are_notes=True)


def list_overpayments(call: Call, visit: Visit) -> Answer:
    return listed(call, visit, "Overpayments", fields=OVERPAYMENT_FIELDS, written=overpayment_document, are_notes=False)


def listed(call: Call, visit: Visit, name: str, *, fields: Mapping[str, Field], written: Written, are_notes: bool) -> Answer:
    try:
        listing: Listing[Credit] = Listing(call, fields=fields)
        kept = [item for item in visit.books.credits.values() if item.is_note is are_notes and item.status != "DELETED"]
        found, page = listing.page(listing.chosen(kept))
    except Refused as error:
        return refusal(error)
    documents = [written(item, books=visit.books, summary=not listing.is_paged) for item in found]
    return records(name, documents, now_ms=visit.desk.clock.milliseconds(), page=page)


def one_credit_note(call: Call, visit: Visit) -> Answer:
    """By id or number."""
    found = credit_note_at(call.params["credit"], visit.books)
    if found is None:
        return not_found()
    return records("CreditNotes", [credit_note_document(found, books=visit.books)], now_ms=visit.desk.clock.milliseconds())


def one_overpayment(call: Call, visit: Visit) -> Answer:
    found = visit.books.credits.get(call.params["credit"].lower())
    if found is None or found.is_note:
        return not_found()
    return records("Overpayments", [overpayment_document(found, books=visit.books)], now_ms=visit.desk.clock.milliseconds())


def credit_note_at(key: str, books: Books) -> Credit | None:
    found = books.credits.get(key.lower()) or books.credit_note(key)
    return found if found is not None and found.is_note else None
