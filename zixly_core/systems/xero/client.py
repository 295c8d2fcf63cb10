"""Xero's Accounting API for one organisation: everything that the workflows call, each kind of record in a module of its own."""

from __future__ import annotations

from collections.abc import Sequence

from zixly_core.systems.xero.calls import IDS_PER_CALL
from zixly_core.systems.xero.contact_calls import ContactCalls
from zixly_core.systems.xero.credit_note_calls import CreditNoteCalls
from zixly_core.systems.xero.element_results import PAYMENTS, ElementResult
from zixly_core.systems.xero.invoice_calls import InvoiceCalls
from zixly_core.systems.xero.organisation import Account, Organisation, TaxRate, account_from, organisation_from, tax_rate_from
from zixly_core.systems.xero.payments import NewPayment, payment_element

__all__ = ["IDS_PER_CALL", "XeroClient"]


class XeroClient(InvoiceCalls, ContactCalls, CreditNoteCalls):
    """One organisation's books. Safe to share between threads."""

    def create_payments(self, payments: Sequence[NewPayment], *, idempotency_key: str) -> dict[str, ElementResult]:
        """Book payments in one call; one result for each, by its key. Too much is `exceeds_amount_due`.

        A call that failed as a whole raises, and then it is not known whether anything was booked: look at the invoices' `payments`
        before booking again. `ValueError` for more than 50 payments or a key that comes twice.
        """
        return self._put(
            "/Payments",
            names=PAYMENTS,
            asked=[(payment.key, "") for payment in payments],
            elements=[payment_element(payment) for payment in payments],
            operation=f"book {len(payments)} payments",
            idempotency_key=idempotency_key,
        )

    def organisation(self) -> Organisation:
        """The organisation itself. Raises `Transient` and `Permanent`."""
        (found, *_) = self._list("/Organisation", "Organisations", operation="read the organisation") or [None]
        return organisation_from(found)

    def accounts(self) -> list[Account]:
        """The chart of accounts, archived ones too. Raises as `organisation`."""
        return [account_from(item) for item in self._list("/Accounts", "Accounts", operation="read the accounts")]

    def tax_rates(self) -> list[TaxRate]:
        """The tax rates, deleted ones too. Raises as `organisation`."""
        return [tax_rate_from(item) for item in self._list("/TaxRates", "TaxRates", operation="read the tax rates")]
