"""Payments (developer.xero.com/documentation/api/accounting/payments): the last one turns an invoice PAID."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, not_found, records, refusal
from zixly_sandbox.xero.books import Books, Invoice, Payment
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.documents import payment_document
from zixly_sandbox.xero.elements import Element, Invalid, elements_of, summarizes, write_elements
from zixly_sandbox.xero.invoice_writes import day_of, is_number


def one_payment(call: Call, visit: Visit) -> Answer:
    payment = visit.books.payments.get(call.params["payment"].lower())
    if payment is None:
        return not_found()
    document = payment_document(payment, visit.books.invoices[payment.invoice_id])
    return records("Payments", [document], now_ms=visit.desk.clock.milliseconds())


def create_payments(call: Call, visit: Visit) -> Answer:
    clock = visit.desk.clock

    def work() -> Answer:
        try:
            elements = elements_of(call, "Payments")
        except Refused as error:
            return refusal(error)
        return write_elements(
            elements,
            name="Payments",
            plan=lambda element: planned_payment(element, books=visit.books, today=clock.now().date(), now_ms=clock.milliseconds()),
            carry_out=lambda payment: carried_out(payment, call=call, visit=visit),
            summarize_errors=summarizes(call),
            now_ms=clock.milliseconds(),
        )

    keep = visit.desk.rules.idempotency_seconds
    return visit.organisation.keys.answer(call, work, now=clock.seconds(), keep_seconds=keep)


def planned_payment(element: Element, *, books: Books, today: date, now_ms: int) -> Payment:
    """The payment that an element asks for. Raises `Invalid`."""
    invoice = invoice_of(element, books)
    amount, account = element.get("Amount"), account_of(element)
    if not is_number(amount) or not isinstance(amount, int | float) or amount <= 0:
        raise Invalid("Payment amount must be greater than 0")
    if not account:
        raise Invalid("Account must be valid")
    if invoice.status != "AUTHORISED":
        raise Invalid("Payments can only be made against Authorised documents")
    cents = round(amount * 100)
    if cents > invoice.due:
        raise Invalid("Payment amount exceeds the amount outstanding on this document")
    return Payment(
        id=str(uuid4()),
        invoice_id=invoice.id,
        cents=cents,
        day=day_of(element, "Date") or today,
        account=account,
        reference=str(element.get("Reference") or ""),
        updated_at=now_ms,
    )


def invoice_of(element: Element, books: Books) -> Invoice:
    given = element.get("Invoice")
    named = given if isinstance(given, dict) else {}
    found = books.invoices.get(str(named.get("InvoiceID") or "").lower()) or books.sales_invoice(
        str(named.get("InvoiceNumber") or element.get("InvoiceNumber") or "")
    )
    if found is None:
        raise Invalid("The invoice could not be found")
    return found


def account_of(element: Element) -> str:
    given = element.get("Account")
    named = given if isinstance(given, dict) else {}
    return str(named.get("Code") or named.get("AccountID") or element.get("Code") or "")


def carried_out(payment: Payment, *, call: Call, visit: Visit) -> Element:
    """Book the payment, note it, tell the webhook: there is no event for payments, the invoice is UPDATEd."""
    invoice = visit.books.keep_payment(payment, now=visit.desk.clock.milliseconds())
    properties: dict[str, object] = {"InvoiceID": invoice.id, "Amount": payment.cents / 100}
    visit.desk.record_write(call, visit.books, operation="CREATE", kind="payment", key=payment.id, properties=properties)
    visit.desk.on_change(visit.books.id, "INVOICE", invoice.id, "UPDATE")
    return payment_document(payment, invoice)
