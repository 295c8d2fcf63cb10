"""Creating and updating invoices: PUT creates, POST creates or updates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import not_found
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.dates import parsed_date
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.documents import invoice_document
from zixly_sandbox.xero.element_writes import answer_write
from zixly_sandbox.xero.elements import Element, Invalid
from zixly_sandbox.xero.entries import Contact, Invoice
from zixly_sandbox.xero.lines import LineRules, amount_types_of, lines_of, places_of

TYPES = {"ACCREC", "ACCPAY"}
# Xero itself sets PAID; VOIDED and DELETED are final.
NEW_STATUSES = {"DRAFT", "SUBMITTED", "AUTHORISED"}
NEXT_STATUSES = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
}


@dataclass(frozen=True)
class InvoicePlan:
    """A checked element: the invoice as it will be, and whether it is new."""

    invoice: Invoice
    is_new: bool
    sent: Element


@dataclass(frozen=True)
class Desk:
    """What elements are checked against."""

    books: Books
    today: date
    now_ms: int
    places: int


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
    return answer_write(
        call,
        visit,
        name="Invoices",
        fixed={"InvoiceID": only} if only else None,
        plan=lambda element: planned_invoice(element, desk=desk_of(call, visit), may_update=may_update),
        carry_out=lambda plan: carried_out(plan, call=call, visit=visit),
    )


def desk_of(call: Call, visit: Visit) -> Desk:
    clock = visit.desk.clock
    return Desk(visit.books, clock.now().date(), clock.milliseconds(), places_of(call))


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
    return invoice_document(invoice, books=books)


def planned_invoice(element: Element, *, desk: Desk, may_update: bool) -> InvoicePlan:
    """The invoice that an element asks for. Raises `Invalid`."""
    known = known_invoice(element, desk.books) if may_update else None
    if known is not None:
        return InvoicePlan(updated_invoice(known, element, desk=desk), is_new=False, sent=element)
    return InvoicePlan(new_invoice(element, desk=desk), is_new=True, sent=element)


def known_invoice(element: Element, books: Books) -> Invoice | None:
    """The invoice that the element names by id or number."""
    key = element.get("InvoiceID")
    if isinstance(key, str) and key:
        if key.lower() not in books.invoices:
            raise Invalid("Invoice not found")
        return books.invoices[key.lower()]
    return books.sales_invoice(str(element.get("InvoiceNumber") or ""))


def new_invoice(element: Element, *, desk: Desk) -> Invoice:
    kind, status, books = element.get("Type"), element.get("Status") or "DRAFT", desk.books
    if kind not in TYPES:
        raise Invalid("Invoice type must be specified")
    if status not in NEW_STATUSES:
        raise Invalid(f"Invoice status {status} is not valid for a new invoice")
    number = str(element.get("InvoiceNumber") or "")
    if kind == "ACCREC" and number and books.sales_invoice(number) is not None:
        raise Invalid("Invoice # must be unique.")
    amount_types = amount_types_of(element, "Exclusive")
    rules = LineRules(books.chart, desk.places, is_sale=kind == "ACCREC", amount_types=amount_types)
    day, due_day = day_of(element, "Date") or desk.today, day_of(element, "DueDate")
    made = Invoice(
        id=str(uuid4()),
        type=kind,
        number=number,
        reference=str(element.get("Reference") or ""),
        contact=contact_of(element, books, now_ms=desk.now_ms),
        status=status,
        currency=currency_of(element, books),
        day=day,
        due_day=due_day or day + timedelta(days=30),
        lines=lines_of(element, rules),
        updated_at=desk.now_ms,
        created_by_app=True,
        line_amount_types=amount_types,
        url=url_of(element, ""),
    )
    if status == "AUTHORISED":
        check_authorised(made, has_due_day=due_day is not None)
    return made


def updated_invoice(known: Invoice, element: Element, *, desk: Desk) -> Invoice:
    """The invoice with what the element says; what it leaves out stays. The known one is left as it is."""
    status, books = element.get("Status") or known.status, desk.books
    if known.status not in NEXT_STATUSES or status not in NEXT_STATUSES[known.status]:
        raise Invalid("Invoice not of valid status for modification")
    if (known.payments or known.allocations) and (status == "VOIDED" or "LineItems" in element):
        raise Invalid("Invoice cannot be changed because it has payments or credit notes allocated to it")
    amount_types = amount_types_of(element, known.line_amount_types)
    rules = LineRules(books.chart, desk.places, is_sale=known.type == "ACCREC", amount_types=amount_types)
    due_day = day_of(element, "DueDate")
    made = replace(
        known,
        status=status,
        lines=lines_of(element, rules) if element.get("LineItems") else known.lines,
        line_amount_types=amount_types if element.get("LineItems") else known.line_amount_types,
        contact=contact_of(element, books, now_ms=desk.now_ms) if element.get("Contact") else known.contact,
        number=renumbered(known, element, books),
        day=day_of(element, "Date") or known.day,
        due_day=due_day or known.due_day,
        reference=str(element.get("Reference", known.reference) or ""),
        url=url_of(element, known.url),
        updated_at=desk.now_ms,
    )
    if status == "AUTHORISED":
        check_authorised(made, has_due_day=True)
    return made


def check_authorised(invoice: Invoice, *, has_due_day: bool) -> None:
    """What a draft may lack."""
    if not has_due_day:
        raise Invalid("Due Date cannot be empty")
    if not all(line.account for line in invoice.lines):
        raise Invalid("Account code must be specified")


def renumbered(known: Invoice, element: Element, books: Books) -> str:
    number = str(element.get("InvoiceNumber") or known.number)
    if number != known.number and known.type == "ACCREC" and books.sales_invoice(number) is not None:
        raise Invalid("Invoice # must be unique.")
    return number


def currency_of(element: Element, books: Books) -> str:
    code = str(element.get("CurrencyCode") or books.currency)
    if code not in books.chart.currencies:
        raise Invalid(f"Organisation is not subscribed to currency {code}")
    return code


def url_of(element: Element, present: str) -> str:
    url = str(element.get("Url", present) or "")
    if url and not url.startswith(("http://", "https://")):
        raise Invalid("Url must be a valid absolute address")
    return url


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


def day_of(element: Element, name: str) -> date | None:
    """A date that may be left out."""
    if not element.get(name):
        return None
    try:
        return parsed_date(element[name])
    except (ValueError, OverflowError):
        raise Invalid(f"{name} is not a date") from None
