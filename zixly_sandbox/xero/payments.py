"""Payments (developer.xero.com/documentation/api/accounting/payments): the last one turns an invoice PAID, and deleting one opens
it again. A payment of a credit note gives the credit back as money."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import uuid4

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, body_refused, not_found, records, refusal
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.credit_documents import told
from zixly_sandbox.xero.credit_reads import credit_note_at
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.documents import payment_document
from zixly_sandbox.xero.element_writes import answer_once, answer_write
from zixly_sandbox.xero.elements import Element, Invalid, elements_of
from zixly_sandbox.xero.entries import Credit, Invoice, Payment
from zixly_sandbox.xero.invoice_writes import day_of
from zixly_sandbox.xero.money import cents_of, is_number
from zixly_sandbox.xero.query import Field, Listing

FIELDS: Mapping[str, Field] = {
    "PaymentID": lambda item: item.id,
    "Invoice.InvoiceID": lambda item: item.invoice_id,
    "Reference": lambda item: item.reference,
    "Status": lambda item: item.status,
    "Date": lambda item: item.day,
    "Amount": lambda item: item.cents / 100,
    "UpdatedDateUTC": lambda item: item.updated_at,
}


def list_payments(call: Call, visit: Visit) -> Answer:
    """A page of payments, deleted ones too."""
    try:
        listing: Listing[Payment] = Listing(call, fields=FIELDS)
        found, page = listing.page(listing.chosen(visit.books.payments.values()))
    except Refused as error:
        return refusal(error)
    documents = [payment_document(item, books=visit.books) for item in found]
    return records("Payments", documents, now_ms=visit.desk.clock.milliseconds(), page=page)


def one_payment(call: Call, visit: Visit) -> Answer:
    payment = visit.books.payments.get(call.params["payment"].lower())
    if payment is None:
        return not_found()
    return records("Payments", [payment_document(payment, books=visit.books)], now_ms=visit.desk.clock.milliseconds())


def delete_payment(call: Call, visit: Visit) -> Answer:
    """POST of `{"Status": "DELETED"}` to a payment's own address; nothing else of a payment can be changed."""
    books, clock = visit.books, visit.desk.clock
    payment = books.payments.get(call.params["payment"].lower())
    if payment is None:
        return not_found()
    try:
        (element,) = elements_of(call, "Payments")
    except (Refused, ValueError):
        return refusal(body_refused("The request body holds no Payments."))
    if element.get("Status") != "DELETED" or payment.status == "DELETED":
        return refusal(Refused("Payments cannot be changed, only deleted, and only once", number=10, kind="ValidationException"))

    def work() -> Answer:
        tell(visit, books.drop_payment(payment, now=clock.milliseconds()))
        visit.desk.record_write(call, books, operation="DELETE", kind="payment", key=payment.id, properties={})
        return records("Payments", [payment_document(books.payments[payment.id], books=books)], now_ms=clock.milliseconds())

    return answer_once(call, visit, work)


def create_payments(call: Call, visit: Visit) -> Answer:
    clock = visit.desk.clock
    return answer_write(
        call,
        visit,
        name="Payments",
        plan=lambda element: planned_payment(element, books=visit.books, today=clock.now().date(), now_ms=clock.milliseconds()),
        carry_out=lambda payment: carried_out(payment, call=call, visit=visit),
    )


def planned_payment(element: Element, *, books: Books, today: date, now_ms: int) -> Payment:
    """The payment that an element asks for. Raises `Invalid`."""
    target = credit_of(element, books) if element.get("CreditNote") or element.get("CreditNoteNumber") else invoice_of(element, books)
    amount = element.get("Amount")
    if not is_number(amount) or not isinstance(amount, int | float) or amount <= 0:
        raise Invalid("Payment amount must be greater than 0")
    if target.status != "AUTHORISED":
        raise Invalid("Payments can only be made against Authorised documents")
    cents = cents_of(amount)
    if cents > (target.due if isinstance(target, Invoice) else target.remaining):
        raise Invalid("Payment amount exceeds the amount outstanding on this document")
    return Payment(
        id=str(uuid4()),
        invoice_id=target.id if isinstance(target, Invoice) else "",
        credit_id=target.id if isinstance(target, Credit) else "",
        cents=cents,
        day=day_of(element, "Date") or today,
        account=account_of(element, books),
        reference=str(element.get("Reference") or ""),
        updated_at=now_ms,
    )


def invoice_of(element: Element, books: Books) -> Invoice:
    """Raises `Invalid` when the element names none that there is."""
    given = element.get("Invoice")
    named = given if isinstance(given, dict) else {}
    found = books.invoices.get(str(named.get("InvoiceID") or "").lower()) or books.sales_invoice(
        str(named.get("InvoiceNumber") or element.get("InvoiceNumber") or "")
    )
    if found is None:
        raise Invalid("The invoice could not be found")
    return found


def credit_of(element: Element, books: Books) -> Credit:
    given = element.get("CreditNote")
    named = given if isinstance(given, dict) else {}
    found = credit_note_at(str(named.get("CreditNoteID") or named.get("CreditNoteNumber") or element.get("CreditNoteNumber") or ""), books)
    if found is None:
        raise Invalid("The credit note could not be found")
    return found


def account_of(element: Element, books: Books) -> str:
    """The code of an account that takes payments; accounts are named by code or id."""
    given = element.get("Account")
    named = given if isinstance(given, dict) else {}
    key = str(named.get("Code") or named.get("AccountID") or element.get("Code") or "").lower()
    for code, account in books.chart.accounts.items():
        if key in {code.lower(), books.account_id(code)}:
            if not account.takes_payments:
                raise Invalid("Payments cannot be made to this account: it is no bank account and not enabled for payments")
            return code
    raise Invalid("Account must be valid")


def carried_out(payment: Payment, *, call: Call, visit: Visit) -> Element:
    """Book the payment, note it, tell the webhook: there is no event for payments, the document is UPDATEd."""
    books, now = visit.books, visit.desk.clock.milliseconds()
    target = books.keep_refund(payment, now=now) if payment.credit_id else books.keep_payment(payment, now=now)
    about = {"CreditNoteID": payment.credit_id} if payment.credit_id else {"InvoiceID": payment.invoice_id}
    properties: dict[str, object] = {**about, "Amount": payment.cents / 100, "Reference": payment.reference, "Account": payment.account}
    visit.desk.record_write(call, books, operation="CREATE", kind="payment", key=payment.id, properties=properties)
    tell(visit, target)
    return payment_document(payment, books=books)


def tell(visit: Visit, target: Invoice | Credit) -> None:
    if isinstance(target, Credit):
        visit.desk.on_change(visit.books.id, "CREDITNOTE", target.id, "UPDATE", told(target))
    else:
        visit.desk.on_change(visit.books.id, "INVOICE", target.id, "UPDATE")
