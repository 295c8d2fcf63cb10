"""Where a person opens a record in Xero. The organisation is the one the person is in; ids lead nowhere in another one."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

XeroRecord = Literal["invoice", "bill", "contact", "credit_note", "payment"]

PATHS: dict[XeroRecord, str] = {
    "invoice": "/AccountsReceivable/View.aspx?InvoiceID={id}",
    "bill": "/AccountsPayable/View.aspx?InvoiceID={id}",
    "contact": "/Contacts/View/{id}",
    "credit_note": "/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={id}",
    "payment": "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
}


def record_url(record_type: XeroRecord, record_id: str) -> str:
    """Deep link to a record (developer.xero.com/documentation/guides/how-to-guides/deep-link-xero)."""
    return "https://go.xero.com" + PATHS[record_type].format(id=quote(record_id, safe=""))
