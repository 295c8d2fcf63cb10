"""Payments of Xero as values (developer.xero.com/documentation/api/accounting/payments)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from zixly_core.systems.xero.fields import Day, day_of, money_of, number_from, optional_text, text_of


@dataclass(frozen=True)
class Payment:
    """A payment of an invoice, as it stands inside the invoice; money is in the invoice's currency."""

    id: str
    amount: Decimal
    date: Day | None
    reference: str


def payment_from(source: Mapping[str, Any]) -> Payment:
    """One element of an invoice's `Payments`. Raises `Permanent`."""
    return Payment(
        id=text_of(source, "PaymentID").lower(),
        amount=money_of(source, "Amount"),
        date=day_of(source, "Date"),
        reference=optional_text(source, "Reference"),
    )


@dataclass(frozen=True)
class NewPayment:
    """A payment to book. `account_code` is the code of a bank account or of one that takes payments; an account without a code is
    named by its id. Xero has no natural key for payments: `reference` is what tells whether one is there already.

    With a `credit_note_id` it is the refund of a credit note, and `invoice_id` is None: money that goes out."""

    key: str
    invoice_id: str | None
    account_code: str
    amount: Decimal
    date: Day
    reference: str
    credit_note_id: str | None = None


def payment_element(payment: NewPayment) -> dict[str, object]:
    """The element of `Payments` that books it."""
    return {
        **paid_document(payment),
        "Account": account_named(payment.account_code),
        "Date": payment.date.isoformat(),
        "Amount": number_from(payment.amount),
        "Reference": payment.reference,
    }


def paid_document(payment: NewPayment) -> dict[str, object]:
    if payment.credit_note_id is not None:
        return {"CreditNote": {"CreditNoteID": payment.credit_note_id}}
    return {"Invoice": {"InvoiceID": payment.invoice_id}}


def account_named(code: str) -> dict[str, str]:
    try:
        return {"AccountID": str(UUID(code))}
    except ValueError:
        return {"Code": code}
