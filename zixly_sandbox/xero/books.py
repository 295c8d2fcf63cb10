"""The books of an organisation: contacts, invoices and payments, kept as small records and written out when asked for.

Money is kept in hundredths of the currency, as Xero rounds it, whatever the currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date


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
    """One line of an invoice."""

    id: str
    description: str
    quantity: float
    unit_cents: int
    account: str
    tax_type: str
    tax_cents: int
    cents: int


@dataclass(slots=True, frozen=True)
class Payment:
    """Money that came in for an invoice, or went out for a bill."""

    id: str
    invoice_id: str
    cents: int
    day: date
    account: str
    reference: str
    updated_at: int


@dataclass(slots=True)
class Invoice:
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

    @property
    def sub_total(self) -> int:
        return sum(line.cents for line in self.lines)

    @property
    def tax(self) -> int:
        return sum(line.tax_cents for line in self.lines)

    @property
    def total(self) -> int:
        return self.sub_total + self.tax

    @property
    def paid(self) -> int:
        return sum(payment.cents for payment in self.payments)

    @property
    def due(self) -> int:
        return self.total - self.paid


class Books:
    """One organisation. Records are found by id (in lower case), sales invoices by number too."""

    def __init__(self, organisation_id: str, *, name: str, country: str, currency: str) -> None:
        self.id = organisation_id
        self.name = name
        self.country = country
        self.currency = currency
        self.contacts: dict[str, Contact] = {}
        self.invoices: dict[str, Invoice] = {}
        self.payments: dict[str, Payment] = {}
        self._by_number: dict[str, Invoice] = {}
        self._contact_by_name: dict[str, Contact] = {}
        self._next_number = 1

    def keep_contact(self, contact: Contact, *, old_name: str | None = None) -> None:
        if old_name is not None:
            self._contact_by_name.pop(old_name.casefold(), None)
        self.contacts[contact.id] = contact
        self._contact_by_name[contact.name.casefold()] = contact

    def keep_invoice(self, invoice: Invoice) -> None:
        self.invoices[invoice.id] = invoice
        if invoice.type == "ACCREC":
            self._by_number[invoice.number] = invoice

    def keep_payment(self, payment: Payment, *, now: int) -> Invoice:
        """Book it; the invoice is PAID once nothing is due any more."""
        invoice = self.invoices[payment.invoice_id]
        invoice.payments.append(payment)
        self.payments[payment.id] = payment
        invoice.updated_at = now
        if invoice.due <= 0:
            invoice.status = "PAID"
            invoice.fully_paid_on = payment.day
        return invoice

    def remove_invoice(self, invoice_id: str) -> None:
        """Make an invoice disappear, as after the organisation was reset at the vendor."""
        invoice = self.invoices.pop(invoice_id)
        if self._by_number.get(invoice.number) is invoice:
            del self._by_number[invoice.number]
        for payment in invoice.payments:
            self.payments.pop(payment.id, None)

    def sales_invoice(self, number: str) -> Invoice | None:
        return self._by_number.get(number)

    def contact_named(self, name: str) -> Contact | None:
        """Names are unique, whatever their case."""
        return self._contact_by_name.get(name.casefold())

    def next_number(self) -> str:
        """A number that no sales invoice has."""
        while True:
            number = f"INV-{self._next_number:05d}"
            self._next_number += 1
            if number not in self._by_number:
                return number

    def open_sales(self) -> Iterable[Invoice]:
        """Sales invoices that can be paid."""
        return (item for item in self.invoices.values() if item.type == "ACCREC" and item.status == "AUTHORISED")
