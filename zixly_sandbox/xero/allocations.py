"""Setting credit notes and overpayments against invoices, and undoing it
(developer.xero.com/documentation/api/accounting/creditnotes#allocating-a-credit-note-or-partial-credit-note-to-an-invoice)."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import not_found, records
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.credit_documents import allocation_document, told
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.element_writes import answer_write
from zixly_sandbox.xero.elements import Element, Invalid
from zixly_sandbox.xero.entries import Allocation, Credit, Invoice
from zixly_sandbox.xero.invoice_writes import day_of
from zixly_sandbox.xero.money import cents_of, is_number
from zixly_sandbox.xero.payments import invoice_of


def create_allocations(call: Call, visit: Visit) -> Answer:
    """PUT under the address of a credit note or overpayment."""
    credit = visit.books.credits.get(call.params["credit"].lower())
    if credit is None:
        return not_found()
    return answer_write(
        call,
        visit,
        name="Allocations",
        plan=lambda element: planned_allocation(element, credit, books=visit.books, today=visit.desk.clock.now().date()),
        carry_out=lambda allocation: carried_out(allocation, call=call, visit=visit),
    )


def delete_allocation(call: Call, visit: Visit) -> Answer:
    credit = visit.books.credits.get(call.params["credit"].lower())
    found = next((item for item in credit.allocations if item.id == call.params["allocation"].lower()), None) if credit else None
    if found is None:
        return not_found()
    now = visit.desk.clock.milliseconds()
    tell(visit, *visit.books.drop_allocation(found, now=now))
    visit.desk.record_write(call, visit.books, operation="DELETE", kind="allocation", key=found.id, properties={})
    return records("Allocations", [{**allocation_document(found, books=visit.books), "IsDeleted": True}], now_ms=now)


def planned_allocation(element: Element, credit: Credit, *, books: Books, today: date) -> Allocation:
    """The allocation that an element asks for. Raises `Invalid`."""
    invoice, amount = invoice_of(element, books), element.get("Amount")
    if not is_number(amount) or not isinstance(amount, int | float) or amount <= 0:
        raise Invalid("The amount to allocate must be greater than 0")
    cents = cents_of(amount)
    check_fits(credit, invoice, cents)
    return Allocation(str(uuid4()), credit.id, invoice.id, cents, day_of(element, "Date") or today)


def check_fits(credit: Credit, invoice: Invoice, cents: int) -> None:
    if credit.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        raise Invalid("Credit can only be allocated from and to Authorised documents")
    if credit.contact.id != invoice.contact.id or credit.is_sales is not (invoice.type == "ACCREC"):
        raise Invalid("The invoice is of another contact or type than the credit")
    if credit.currency != invoice.currency:
        raise Invalid("The invoice is in another currency than the credit")
    if cents > credit.remaining:
        raise Invalid("The amount to allocate exceeds the remaining credit")
    if cents > invoice.due:
        raise Invalid("The amount to allocate exceeds the amount outstanding on the invoice")


def carried_out(allocation: Allocation, *, call: Call, visit: Visit) -> Element:
    """Book it, note it, tell of both documents."""
    tell(visit, *visit.books.allocate(allocation, now=visit.desk.clock.milliseconds()))
    properties: dict[str, object] = {
        "CreditID": allocation.credit_id,
        "InvoiceID": allocation.invoice_id,
        "Amount": allocation.cents / 100,
    }
    visit.desk.record_write(call, visit.books, operation="CREATE", kind="allocation", key=allocation.id, properties=properties)
    return allocation_document(allocation, books=visit.books)


def tell(visit: Visit, credit: Credit, invoice: Invoice) -> None:
    category = "CREDITNOTE" if credit.is_note else "OVERPAYMENT"
    visit.desk.on_change(visit.books.id, category, credit.id, "UPDATE", told(credit))
    visit.desk.on_change(visit.books.id, "INVOICE", invoice.id, "UPDATE")
