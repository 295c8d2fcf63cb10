"""The records of an organisation's books, kept small and written out when asked for. Money is in hundredths."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

LineAmountTypes = Literal["Exclusive", "Inclusive", "NoTax"]


@dataclass(slots=True)
class Contact:
    """A customer or supplier. Xero does not ask e-mail addresses to be unique."""

    id: str
    name: str
    email: str
    updated_at: int
    number: str = ""
    first_name: str = ""
    last_name: str = ""
    currency: str = ""
    status: str = "ACTIVE"
    is_customer: bool = False
    is_supplier: bool = False


@dataclass(slots=True, frozen=True)
class Line:
    """One line of an invoice or credit note; `price` of one unit in ten-thousandths."""

    id: str
    description: str
    quantity: float
    price: int
    account: str
    tax_type: str
    tax_cents: int
    cents: int
    item: str = ""
    discount_percent: float | None = None


@dataclass(slots=True, frozen=True)
class Payment:
    """Money that came in for an invoice, went out for a bill, or was given back for a credit note."""

    id: str
    invoice_id: str
    cents: int
    day: date
    account: str
    reference: str
    updated_at: int
    status: str = "AUTHORISED"
    credit_id: str = ""
    """Of a refund, which has no invoice."""


@dataclass(slots=True, frozen=True)
class Allocation:
    """Credit that was set against an invoice."""

    id: str
    credit_id: str
    invoice_id: str
    cents: int
    day: date


class Sums:
    """What the lines of a document come to."""

    __slots__ = ()
    lines: tuple[Line, ...]
    line_amount_types: LineAmountTypes

    @property
    def tax(self) -> int:
        return sum(line.tax_cents for line in self.lines)

    @property
    def sub_total(self) -> int:
        """Without tax."""
        cents = sum(line.cents for line in self.lines)
        return cents - self.tax if self.line_amount_types == "Inclusive" else cents

    @property
    def total(self) -> int:
        return self.sub_total + self.tax


@dataclass(slots=True)
class Invoice(Sums):
    """A sales invoice (ACCREC) or a bill (ACCPAY)."""

    id: str
    type: str
    number: str
    reference: str
    contact: Contact
    status: str
    currency: str
    day: date
    due_day: date
    lines: tuple[Line, ...]
    updated_at: int
    fully_paid_on: date | None = None
    payments: list[Payment] = field(default_factory=list)
    created_by_app: bool = False
    line_amount_types: LineAmountTypes = "Exclusive"
    url: str = ""
    allocations: list[Allocation] = field(default_factory=list)

    @property
    def paid(self) -> int:
        return sum(payment.cents for payment in self.payments)

    @property
    def credited(self) -> int:
        return sum(item.cents for item in self.allocations)

    @property
    def due(self) -> int:
        """Nothing is due on what was voided or deleted."""
        return 0 if self.status in {"VOIDED", "DELETED"} else self.total - self.paid - self.credited


@dataclass(slots=True)
class Credit(Sums):
    """A credit note (ACCRECCREDIT, ACCPAYCREDIT), or an overpayment (RECEIVE-OVERPAYMENT), which has no number."""

    id: str
    type: str
    number: str
    reference: str
    contact: Contact
    status: str
    currency: str
    day: date
    lines: tuple[Line, ...]
    updated_at: int
    line_amount_types: LineAmountTypes = "Exclusive"
    fully_paid_on: date | None = None
    allocations: list[Allocation] = field(default_factory=list)
    refunds: list[Payment] = field(default_factory=list)

    @property
    def is_note(self) -> bool:
        return self.type in {"ACCRECCREDIT", "ACCPAYCREDIT"}

    @property
    def is_sales(self) -> bool:
        return self.type in {"ACCRECCREDIT", "RECEIVE-OVERPAYMENT"}

    @property
    def remaining(self) -> int:
        """What can still be set against invoices or given back."""
        used = sum(item.cents for item in self.allocations) + sum(item.cents for item in self.refunds)
        return 0 if self.status in {"VOIDED", "DELETED"} else self.total - used
