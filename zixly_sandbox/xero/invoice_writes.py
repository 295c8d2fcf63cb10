"""Creating and updating invoices: PUT creates, POST creates or updates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import Refused, not_found, refusal
from zixly_sandbox.xero.books import Books, Contact, Invoice, Line
from zixly_sandbox.xero.dates import parsed_date
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.documents import invoice_document
from zixly_sandbox.xero.elements import Element, Invalid, elements_of, summarizes, write_elements

TYPES = {"ACCREC", "ACCPAY"}
# Xero itself sets PAID; VOIDED and DELETED are final.
NEW_STATUSES = {"DRAFT", "SUBMITTED", "AUTHORISED"}
NEXT_STATUSES = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
}
# The share of tax by type; any other type is taken as free of tax.
TAX_PERCENT = {"OUTPUT": 10, "OUTPUT2": 15, "INPUT": 10, "INPUT2": 15}


@dataclass(frozen=True)
class InvoicePlan:
    """A checked element: the invoice as it will be, and whether it is new."""

    invoice: Invoice
    is_new: bool
    sent: Element


def create_invoices(call: Call, visit: Visit) -> Answer:
    return _write(call, visit, may_update=False)


def save_invoices(call: Call, visit: Visit) -> Answer:
    return _write(call, visit, may_update=True)


def save_one_invoice(call: Call, visit: Visit) -> Answer:
    """POST to an invoice's own address."""
    if call.params["invoice"].lower() not in visit.books.invoices:
        return not_found()
    return _write(call, visit, may_update=True, only=call.params["invoice"].lower())


def _write(call: Call, visit: Visit, *, may_update: bool, only: str | None = None) -> Answer:
    clock = visit.desk.clock

    def work() -> Answer:
        try:
            elements = elements_of(call, "Invoices")
        except Refused as error:
            return refusal(error)
        named = [{**element, "InvoiceID": only} for element in elements] if only else elements
        return write_elements(
            named,
            name="Invoices",
            plan=lambda element: planned_invoice(
                element, books=visit.books, may_update=may_update, today=clock.now().date(), now_ms=clock.milliseconds()
            ),
            carry_out=lambda plan: carried_out(plan, call=call, visit=visit),
            summarize_errors=summarizes(call),
            now_ms=clock.milliseconds(),
        )

    keep = visit.desk.rules.idempotency_seconds
    return visit.organisation.keys.answer(call, work, now=clock.seconds(), keep_seconds=keep)


def carried_out(plan: InvoicePlan, *, call: Call, visit: Visit) -> Element:
    """Keep the invoice, number it, note the write, tell the webhook."""
    invoice, books, operation = plan.invoice, visit.books, "CREATE" if plan.is_new else "UPDATE"
    if invoice.contact.id not in books.contacts:
        books.keep_contact(invoice.contact)
        visit.desk.on_change(books.id, "CONTACT", invoice.contact.id, "CREATE")
    if invoice.type == "ACCREC" and not invoice.number:
        invoice.number = books.next_number()
    books.keep_invoice(invoice)
    visit.desk.record_write(call, books, operation=operation, kind="invoice", key=invoice.id, properties=plan.sent)
    visit.desk.on_change(books.id, "INVOICE", invoice.id, operation)
    return invoice_document(invoice)


def planned_invoice(element: Element, *, books: Books, may_update: bool, today: date, now_ms: int) -> InvoicePlan:
    """The invoice that an element asks for. Raises `Invalid`."""
    known = known_invoice(element, books) if may_update else None
    if known is not None:
        return InvoicePlan(updated_invoice(known, element, books=books, now_ms=now_ms), is_new=False, sent=element)
    return InvoicePlan(new_invoice(element, books=books, today=today, now_ms=now_ms), is_new=True, sent=element)


def known_invoice(element: Element, books: Books) -> Invoice | None:
    """The invoice that the element names by id or number."""
    key = element.get("InvoiceID")
    if isinstance(key, str) and key:
        if key.lower() not in books.invoices:
            raise Invalid("Invoice not found")
        return books.invoices[key.lower()]
    return books.sales_invoice(str(element.get("InvoiceNumber") or ""))


def new_invoice(element: Element, *, books: Books, today: date, now_ms: int) -> Invoice:
    kind, status = element.get("Type"), element.get("Status") or "DRAFT"
    if kind not in TYPES:
        raise Invalid("Invoice type must be specified")
    if status not in NEW_STATUSES:
        raise Invalid(f"Invoice status {status} is not valid for a new invoice")
    number = str(element.get("InvoiceNumber") or "")
    if kind == "ACCREC" and number and books.sales_invoice(number) is not None:
        raise Invalid("Invoice # must be unique.")
    lines, day = lines_of(element), day_of(element, "Date") or today
    due_day = day_of(element, "DueDate")
    if status == "AUTHORISED" and (due_day is None or not all(line.account for line in lines)):
        raise Invalid("Due Date cannot be empty" if due_day is None else "Account code must be specified")
    return Invoice(
        id=str(uuid4()),
        type=kind,
        number=number,
        reference=str(element.get("Reference") or ""),
        contact=contact_of(element, books, now_ms=now_ms),
        status=status,
        currency=str(element.get("CurrencyCode") or books.currency),
        day=day,
        due_day=due_day or day + timedelta(days=30),
        lines=lines,
        updated_at=now_ms,
        created_by_app=True,
    )


def updated_invoice(known: Invoice, element: Element, *, books: Books, now_ms: int) -> Invoice:
    """The invoice with what the element says; what it leaves out stays. The known one is left as it is."""
    status = element.get("Status") or known.status
    if known.status not in NEXT_STATUSES or status not in NEXT_STATUSES[known.status]:
        raise Invalid("Invoice not of valid status for modification")
    if known.payments and (status == "VOIDED" or "LineItems" in element):
        raise Invalid("Invoice cannot be changed because it has payments")
    lines = lines_of(element) if element.get("LineItems") else known.lines
    contact = contact_of(element, books, now_ms=now_ms) if element.get("Contact") else known.contact
    day, due_day = day_of(element, "Date") or known.day, day_of(element, "DueDate") or known.due_day
    reference = str(element.get("Reference", known.reference) or "")
    return replace(known, status=status, lines=lines, contact=contact, day=day, due_day=due_day, reference=reference, updated_at=now_ms)


def contact_of(element: Element, books: Books, *, now_ms: int) -> Contact:
    """The contact by id; by name it is found or made."""
    given: dict[str, Any] = element["Contact"] if isinstance(element.get("Contact"), dict) else {}
    key, name = given.get("ContactID"), str(given.get("Name") or "").strip()
    if key:
        found = books.contacts.get(str(key).lower())
        if found is None:
            raise Invalid("The Contact ID is not valid")
        return found
    if not name:
        raise Invalid("A Contact must be specified for this type of transaction")
    email = str(given.get("EmailAddress") or "")
    return books.contact_named(name) or Contact(id=str(uuid4()), name=name, email=email, updated_at=now_ms)


def lines_of(element: Element) -> tuple[Line, ...]:
    items = element.get("LineItems")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise Invalid("One or more line items must be specified")
    return tuple(line_of(item) for item in items)


def line_of(item: dict[str, Any]) -> Line:
    """One line; its amount is quantity times price, its tax follows from its type."""
    description, quantity, price = item.get("Description"), item.get("Quantity", 1), item.get("UnitAmount", 0)
    if not description:
        raise Invalid("Description must be specified")
    if not is_number(quantity) or not is_number(price):
        raise Invalid("Quantity and unit amount must be numbers")
    cents, tax_type = round(quantity * price * 100), str(item.get("TaxType") or "NONE")
    return Line(
        id=str(uuid4()),
        description=str(description),
        quantity=float(quantity),
        unit_cents=round(price * 100),
        account=str(item.get("AccountCode") or ""),
        tax_type=tax_type,
        tax_cents=round(cents * TAX_PERCENT.get(tax_type, 0) / 100),
        cents=cents,
    )


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def day_of(element: Element, name: str) -> date | None:
    """A date that may be left out."""
    if not element.get(name):
        return None
    try:
        return parsed_date(element[name])
    except (ValueError, OverflowError):
        raise Invalid(f"{name} is not a date") from None
