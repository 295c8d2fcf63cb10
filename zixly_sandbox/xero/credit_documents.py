"""Credit notes, overpayments and what was done with them as the JSON of the Accounting API."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.dates import date_text, instant_text, iso_text
from zixly_sandbox.xero.documents import contact_document, inner_payment_document, line_document, reference_document
from zixly_sandbox.xero.entries import Allocation, Credit

Document = dict[str, Any]


def credit_note_document(credit: Credit, *, books: Books, summary: bool = False) -> Document:
    """A credit note; `summary` leaves out lines and all of the contact but its name."""
    document: Document = {
        "CreditNoteID": credit.id,
        "CreditNoteNumber": credit.number,
        "Reference": credit.reference,
        **shared_document(credit, books=books, summary=summary),
        "SentToContact": False,
        "HasErrors": False,
    }
    if credit.fully_paid_on is not None:
        document["FullyPaidOnDate"] = date_text(credit.fully_paid_on)
    return document


def overpayment_document(credit: Credit, *, books: Books, summary: bool = False) -> Document:
    return {"OverpaymentID": credit.id, "Reference": credit.reference, **shared_document(credit, books=books, summary=summary)}


def shared_document(credit: Credit, *, books: Books, summary: bool) -> Document:
    document: Document = {
        "Type": credit.type,
        "Contact": reference_document(credit.contact) if summary else contact_document(credit.contact),
        "DateString": iso_text(credit.day),
        "Date": date_text(credit.day),
        "Status": credit.status,
        "LineAmountTypes": credit.line_amount_types,
        "SubTotal": credit.sub_total / 100,
        "TotalTax": credit.tax / 100,
        "Total": credit.total / 100,
        "UpdatedDateUTC": instant_text(credit.updated_at),
        "CurrencyCode": credit.currency,
        "CurrencyRate": 1.0,
        "RemainingCredit": credit.remaining / 100,
        "Allocations": [allocation_document(item, books=books) for item in credit.allocations],
        "Payments": [inner_payment_document(item) for item in credit.refunds],
        "HasAttachments": False,
    }
    if not summary:
        document["LineItems"] = [line_document(line) for line in credit.lines]
    return document


def allocation_document(allocation: Allocation, *, books: Books) -> Document:
    """As a credit shows it: which invoice it was set against."""
    invoice = books.invoices.get(allocation.invoice_id)
    return {
        "AllocationID": allocation.id,
        "Amount": allocation.cents / 100,
        "Date": date_text(allocation.day),
        "Invoice": {
            "InvoiceID": allocation.invoice_id,
            "InvoiceNumber": invoice.number if invoice else "",
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "HasErrors": False,
            "IsDiscounted": False,
            "LineItems": [],
        },
    }


def told(credit: Credit) -> dict[str, str] | None:
    """What webhooks tell of a credit note beyond its id."""
    return {"Type": credit.type, "Status": credit.status} if credit.is_note else None
