"""Credit notes of Xero as values (developer.xero.com/documentation/api/accounting/creditnotes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from zixly_core.systems.xero.contacts import Contact, contact_from
from zixly_core.systems.xero.fields import instant_from, money_of, object_of, objects_of, optional_text, text_of, unexpected
from zixly_core.systems.xero.payments import Payment, payment_from

CreditNoteType = Literal["ACCRECCREDIT", "ACCPAYCREDIT"]
"""What we owe a customer, or what a supplier owes us."""


@dataclass(frozen=True)
class Allocation:
    """The part of a credit note that pays an invoice, in the credit note's currency."""

    invoice_id: str
    amount: Decimal


@dataclass(frozen=True)
class CreditNote:
    """A credit note in its present state. `remaining_credit` is what is neither allocated nor refunded; numbers of those to
    customers are unique."""

    id: str
    number: str
    type: CreditNoteType
    status: str
    total: Decimal
    remaining_credit: Decimal
    currency: str
    contact: Contact
    allocations: tuple[Allocation, ...]
    updated_at: datetime
    reference: str
    payments: tuple[Payment, ...] = ()
    """Refunds: money that went back to the customer."""

    @property
    def is_to_customer(self) -> bool:
        return self.type == "ACCRECCREDIT"


def credit_note_from(item: object) -> CreditNote:
    """One element of `CreditNotes`. Raises `Permanent` (`unexpected_answer`) naming the field, never its value."""
    source = object_of(item, what="a credit note")
    return CreditNote(
        id=text_of(source, "CreditNoteID").lower(),
        number=optional_text(source, "CreditNoteNumber"),
        type=type_of(source),
        status=text_of(source, "Status").upper(),
        total=money_of(source, "Total"),
        remaining_credit=money_of(source, "RemainingCredit"),
        currency=text_of(source, "CurrencyCode"),
        contact=contact_from(source.get("Contact")),
        allocations=tuple(allocation_from(one) for one in objects_of(source, "Allocations") if one.get("IsDeleted") is not True),
        updated_at=instant_from(source.get("UpdatedDateUTC")),
        reference=optional_text(source, "Reference"),
        payments=tuple(payment_from(one) for one in objects_of(source, "Payments")),
    )


def allocation_from(source: Mapping[str, Any]) -> Allocation:
    invoice = object_of(source.get("Invoice"), what="an allocation's invoice")
    return Allocation(invoice_id=text_of(invoice, "InvoiceID").lower(), amount=money_of(source, "Amount"))


def type_of(source: Mapping[str, Any]) -> CreditNoteType:
    match source.get("Type"):
        case "ACCRECCREDIT":
            return "ACCRECCREDIT"
        case "ACCPAYCREDIT":
            return "ACCPAYCREDIT"
        case _:
            raise unexpected("Type")
