"""Invoices of Xero as values (developer.xero.com/documentation/api/accounting/invoices)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from zixly_core.systems.xero.contacts import Contact, contact_from
from zixly_core.systems.xero.fields import (
    day_of,
    instant_from,
    money_of,
    object_of,
    objects_of,
    optional_text,
    text_of,
    unexpected,
)
from zixly_core.systems.xero.payments import Payment, payment_from

InvoiceType = Literal["ACCREC", "ACCPAY"]
"""A sales invoice (accounts receivable) or a bill (accounts payable)."""


@dataclass(frozen=True)
class Invoice:
    """A sales invoice or bill in its present state. Ids are in lower case, money is in `currency`.

    `status` is DRAFT, SUBMITTED, AUTHORISED, PAID, VOIDED or DELETED. Numbers of sales invoices are unique, those of bills are not.
    """

    id: str
    number: str
    type: InvoiceType
    status: str
    contact: Contact
    currency: str
    total: Decimal
    amount_due: Decimal
    amount_paid: Decimal
    fully_paid_on: date | None
    updated_at: datetime
    amount_credited: Decimal = Decimal(0)
    due_date: date | None = None
    reference: str = ""
    line_amount_types: str = ""
    payments: tuple[Payment, ...] = ()

    @property
    def is_paid(self) -> bool:
        """Xero sets the status itself when the last payment comes in; no event says so."""
        return self.status == "PAID"

    @property
    def is_sale(self) -> bool:
        return self.type == "ACCREC"


def invoice_from(item: object) -> Invoice:
    """One element of `Invoices`. Raises `Permanent` (`unexpected_answer`) naming the field, never its value."""
    source = object_of(item, what="an invoice")
    return Invoice(
        id=text_of(source, "InvoiceID").lower(),
        number=optional_text(source, "InvoiceNumber"),
        type=type_of(source),
        status=text_of(source, "Status").upper(),
        contact=contact_from(source.get("Contact")),
        currency=text_of(source, "CurrencyCode"),
        total=money_of(source, "Total"),
        amount_due=money_of(source, "AmountDue"),
        amount_paid=money_of(source, "AmountPaid"),
        fully_paid_on=day_of(source, "FullyPaidOnDate"),
        updated_at=instant_from(source.get("UpdatedDateUTC")),
        amount_credited=money_of(source, "AmountCredited"),
        due_date=day_of(source, "DueDate"),
        reference=optional_text(source, "Reference"),
        line_amount_types=optional_text(source, "LineAmountTypes"),
        payments=tuple(payment_from(one) for one in objects_of(source, "Payments")),
    )


def type_of(source: Mapping[str, Any]) -> InvoiceType:
    """`ACCREC` or `ACCPAY`; the credit and payment types of the same list in Xero's pages never come from `/Invoices`."""
    match source.get("Type"):
        case "ACCREC":
            return "ACCREC"
        case "ACCPAY":
            return "ACCPAY"
        case _:
            raise unexpected("Type")
