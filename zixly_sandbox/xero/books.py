"""The books of an organisation: where its records are found, and what bookings do to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid5

from zixly_sandbox.xero.chart import chart_of
from zixly_sandbox.xero.entries import Allocation, Contact, Credit, Invoice, Payment


class Books:
    """One organisation. Records are found by id (in lower case), sales invoices and credit notes by number too."""

    def __init__(self, organisation_id: str, *, name: str, country: str, currency: str) -> None:
        self.id = organisation_id
        self.name = name
        self.country = country
        self.currency = currency
        self.chart = chart_of(country)
        self.contacts: dict[str, Contact] = {}
        self.invoices: dict[str, Invoice] = {}
        self.payments: dict[str, Payment] = {}
        self.credits: dict[str, Credit] = {}
        self._by_number: dict[str, Invoice] = {}
        self._credit_by_number: dict[str, Credit] = {}
        self._contact_by_name: dict[str, Contact] = {}
        self._next_number = 1
        self._next_credit_number = 1

    def account_id(self, code: str) -> str:
        """Accounts have ids of their own in each organisation."""
        return str(uuid5(UUID(self.id), f"account:{code}"))

    def item_id(self, code: str) -> str:
        return str(uuid5(UUID(self.id), f"item:{code}"))

    def keep_contact(self, contact: Contact, *, old_name: str | None = None) -> None:
        if old_name is not None:
            self._contact_by_name.pop(old_name.casefold(), None)
        self.contacts[contact.id] = contact
        self._contact_by_name[contact.name.casefold()] = contact

    def keep_invoice(self, invoice: Invoice) -> None:
        self.invoices[invoice.id] = invoice
        if invoice.type == "ACCREC":
            self._by_number[invoice.number] = invoice

    def keep_credit(self, credit: Credit) -> None:
        self.credits[credit.id] = credit
        if credit.number:
            self._credit_by_number[credit.number] = credit

    def keep_payment(self, payment: Payment, *, now: int) -> Invoice:
        """Book it; the invoice is PAID once nothing is due any more."""
        invoice = self.invoices[payment.invoice_id]
        invoice.payments.append(payment)
        self.payments[payment.id] = payment
        settle_invoice(invoice, payment.day, now=now)
        return invoice

    def keep_refund(self, payment: Payment, *, now: int) -> Credit:
        """Give credit back as money."""
        credit = self.credits[payment.credit_id]
        credit.refunds.append(payment)
        self.payments[payment.id] = payment
        settle_credit(credit, payment.day, now=now)
        return credit

    def drop_payment(self, payment: Payment, *, now: int) -> Invoice | Credit:
        """Undo a payment or refund; what it had settled is open again."""
        self.payments[payment.id] = replace(payment, status="DELETED", updated_at=now)
        if payment.credit_id:
            credit = self.credits[payment.credit_id]
            credit.refunds = [item for item in credit.refunds if item.id != payment.id]
            settle_credit(credit, payment.day, now=now)
            return credit
        invoice = self.invoices[payment.invoice_id]
        invoice.payments = [item for item in invoice.payments if item.id != payment.id]
        settle_invoice(invoice, payment.day, now=now)
        return invoice

    def allocate(self, allocation: Allocation, *, now: int) -> tuple[Credit, Invoice]:
        """Set credit against an invoice."""
        credit, invoice = self.credits[allocation.credit_id], self.invoices[allocation.invoice_id]
        credit.allocations.append(allocation)
        invoice.allocations.append(allocation)
        settle_credit(credit, allocation.day, now=now)
        settle_invoice(invoice, allocation.day, now=now)
        return credit, invoice

    def drop_allocation(self, allocation: Allocation, *, now: int) -> tuple[Credit, Invoice]:
        credit, invoice = self.credits[allocation.credit_id], self.invoices[allocation.invoice_id]
        credit.allocations.remove(allocation)
        invoice.allocations.remove(allocation)
        settle_credit(credit, allocation.day, now=now)
        settle_invoice(invoice, allocation.day, now=now)
        return credit, invoice

    def remove_invoice(self, invoice_id: str) -> None:
        """Make an invoice disappear, as after the organisation was reset at the vendor."""
        invoice = self.invoices.pop(invoice_id)
        if self._by_number.get(invoice.number) is invoice:
            del self._by_number[invoice.number]
        for payment in invoice.payments:
            self.payments.pop(payment.id, None)

    def sales_invoice(self, number: str) -> Invoice | None:
        return self._by_number.get(number)

    def credit_note(self, number: str) -> Credit | None:
        return self._credit_by_number.get(number)

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

    def next_credit_number(self) -> str:
        """A number that no credit note has."""
        while True:
            number = f"CN-{self._next_credit_number:05d}"
            self._next_credit_number += 1
            if number not in self._credit_by_number:
                return number

    def open_sales(self) -> Iterable[Invoice]:
        """Sales invoices that can be paid."""
        return (item for item in self.invoices.values() if item.type == "ACCREC" and item.status == "AUTHORISED")


def settle_invoice(invoice: Invoice, day: date, *, now: int) -> None:
    """PAID while nothing is due, AUTHORISED while something is."""
    invoice.updated_at = now
    is_paid = invoice.due <= 0
    invoice.status = "PAID" if is_paid else "AUTHORISED"
    invoice.fully_paid_on = day if is_paid else None


def settle_credit(credit: Credit, day: date, *, now: int) -> None:
    """PAID once all of it is used."""
    credit.updated_at = now
    is_used = credit.remaining <= 0
    credit.status = "PAID" if is_used else "AUTHORISED"
    credit.fully_paid_on = day if is_used else None
