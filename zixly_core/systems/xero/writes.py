"""What is written to Xero: invoices and credit notes to create, as values and as elements of a request.

developer.xero.com/documentation/api/accounting/invoices and .../creditnotes. Inside `Contact` only the id is sent: other fields
would change the contact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from zixly_core.systems.xero.fields import Day, number_from

# The size that Xero advises for writes.
ELEMENTS_PER_CALL = 50
# Xero keeps unit amounts with two decimal places unless a call asks for four.
USUAL_PLACES = 2

LineAmountTypes = Literal["Exclusive", "Inclusive", "NoTax"]
NewStatus = Literal["DRAFT", "AUTHORISED"]
ChangedStatus = Literal["AUTHORISED", "VOIDED", "DELETED"]


@dataclass(frozen=True)
class NewLine:
    """A line; the amount is for one unit, before the discount (in percent) and in the document's currency. Without a tax type the
    account's own counts."""

    description: str = field(repr=False)
    quantity: Decimal
    unit_amount: Decimal
    account_code: str
    tax_type: str | None = None
    discount_rate: Decimal | None = None
    item_code: str | None = None


@dataclass(frozen=True)
class NewInvoice:
    """A sales invoice to create. `key` names it among the others of one call and is not sent. `number` is unique in the
    organisation, so the same invoice is not made twice; `currency` None means the organisation's own."""

    key: str
    number: str
    contact_id: str
    lines: tuple[NewLine, ...]
    date: Day
    due_date: Day
    currency: str | None = None
    reference: str = ""
    status: NewStatus = "DRAFT"
    line_amount_types: LineAmountTypes = "Exclusive"
    url: str | None = None


@dataclass(frozen=True)
class NewCreditNote:
    """A credit note to a customer; fields as in `NewInvoice`."""

    key: str
    number: str
    contact_id: str
    lines: tuple[NewLine, ...]
    date: Day
    currency: str | None = None
    reference: str = ""
    status: NewStatus = "DRAFT"
    line_amount_types: LineAmountTypes = "Exclusive"


def invoice_element(invoice: NewInvoice) -> dict[str, object]:
    """The element of `Invoices` that creates it."""
    element = {
        "Type": "ACCREC",
        "InvoiceNumber": invoice.number,
        "DueDate": invoice.due_date.isoformat(),
        "Url": invoice.url,
        **common_fields(invoice),
    }
    return without_gaps(element)


def credit_note_element(note: NewCreditNote) -> dict[str, object]:
    """The element of `CreditNotes` that creates it."""
    return without_gaps({"Type": "ACCRECCREDIT", "CreditNoteNumber": note.number, **common_fields(note)})


def common_fields(document: NewInvoice | NewCreditNote) -> dict[str, object]:
    return {
        "Contact": {"ContactID": document.contact_id},
        "LineItems": [line_element(line) for line in document.lines],
        "Date": document.date.isoformat(),
        "LineAmountTypes": document.line_amount_types,
        "Reference": document.reference,
        "CurrencyCode": document.currency,
        "Status": document.status,
    }


def line_element(line: NewLine) -> dict[str, object]:
    element = {
        "Description": line.description,
        "Quantity": number_from(line.quantity),
        "UnitAmount": number_from(line.unit_amount),
        "AccountCode": line.account_code,
        "TaxType": line.tax_type,
        "DiscountRate": number_from(line.discount_rate) if line.discount_rate is not None else None,
        "ItemCode": line.item_code,
    }
    return without_gaps(element)


def without_gaps(element: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in element.items() if value is not None and value != ""}


def needs_four_places(documents: Iterable[NewInvoice | NewCreditNote]) -> bool:
    """Whether a unit amount has more decimal places than Xero keeps unasked."""
    return any(places_of(line.unit_amount) > USUAL_PLACES for document in documents for line in document.lines)


def places_of(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
