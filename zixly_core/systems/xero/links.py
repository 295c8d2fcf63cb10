"""Where a person opens a record in Xero.

Without an organisation's short code the link leads into the organisation that the person is in; ids lead nowhere in another one.
Paths: developer.xero.com/documentation/guides/how-to-guides/deep-link-xero, and those that XeroAPI/xero-mcp-server hands out.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

PATHS: Mapping[str, str] = {
    "invoice": "/AccountsReceivable/View.aspx?InvoiceID={id}",
    "bill": "/AccountsPayable/View.aspx?InvoiceID={id}",
    "contact": "/Contacts/View/{id}",
    "creditnote": "/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={id}",
    "payment": "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
}


def record_url(kind: str, record_id: str, *, account: str, base: str) -> str | None:
    """Deep link to a record; None for a kind that has no page of its own."""
    path = PATHS.get(kind.replace("_", ""))
    return base + path.format(id=quote(record_id, safe="")) if path else None
