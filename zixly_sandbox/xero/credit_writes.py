"""Creating and updating credit notes (developer.xero.com/documentation/api/accounting/creditnotes): PUT creates, POST creates or
updates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import uuid4

from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero.answers import not_found
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.credit_documents import credit_note_document, told
from zixly_sandbox.xero.desk import Visit
from zixly_sandbox.xero.element_writes import answer_write
from zixly_sandbox.xero.elements import Element, Invalid
from zixly_sandbox.xero.entries import Credit
from zixly_sandbox.xero.invoice_writes import NEW_STATUSES, NEXT_STATUSES, Desk, contact_of, currency_of, day_of, desk_of
from zixly_sandbox.xero.lines import LineRules, amount_types_of, lines_of

TYPES = {"ACCRECCREDIT", "ACCPAYCREDIT"}


@dataclass(frozen=True)
class CreditPlan:
    """A checked element: the credit note as it will be, and whether it is new."""

    credit: Credit
    is_new: bool
    sent: Element


def create_credit_notes(call: Call, visit: Visit) -> Answer:
    return _write(call, visit, may_update=False)


def save_credit_notes(call: Call, visit: Visit) -> Answer:
    return _write(call, visit, may_update=True)


def save_one_credit_note(call: Call, visit: Visit) -> Answer:
    """POST to a credit note's own address."""
    found = visit.books.credits.get(call.params["credit"].lower())
    if found is None or not found.is_note:
        return not_found()
    return _write(call, visit, may_update=True, only=found.id)


def _write(call: Call, visit: Visit, *, may_update: bool, only: str | None = None) -> Answer:
    return answer_write(
        call,
        visit,
        name="CreditNotes",
        fixed={"CreditNoteID": only} if only else None,
        plan=lambda element: planned_credit(element, desk=desk_of(call, visit), may_update=may_update),
        carry_out=lambda plan: carried_out(plan, call=call, visit=visit),
    )


def carried_out(plan: CreditPlan, *, call: Call, visit: Visit) -> Element:
    """Keep the credit note, number it, note the write, tell the webhook."""
    credit, books, operation = plan.credit, visit.books, "CREATE" if plan.is_new else "UPDATE"
    if credit.contact.id not in books.contacts:
        books.keep_contact(credit.contact)
        visit.desk.on_change(books.id, "CONTACT", credit.contact.id, "CREATE")
    credit.number = credit.number or books.next_credit_number()
    books.keep_credit(credit)
    visit.desk.record_write(call, books, operation=operation, kind="credit_note", key=credit.id, properties=plan.sent)
    visit.desk.on_change(books.id, "CREDITNOTE", credit.id, operation, told(credit))
    return credit_note_document(credit, books=books)


def planned_credit(element: Element, *, desk: Desk, may_update: bool) -> CreditPlan:
    """The credit note that an element asks for. Raises `Invalid`."""
    known = known_credit(element, desk.books) if may_update else None
    if known is not None:
        return CreditPlan(updated_credit(known, element, desk=desk), is_new=False, sent=element)
    return CreditPlan(new_credit(element, desk=desk), is_new=True, sent=element)


def known_credit(element: Element, books: Books) -> Credit | None:
    """The credit note that the element names by id or number."""
    key = str(element.get("CreditNoteID") or "").lower()
    if not key:
        return books.credit_note(str(element.get("CreditNoteNumber") or ""))
    if key not in books.credits or not books.credits[key].is_note:
        raise Invalid("Credit note not found")
    return books.credits[key]


def new_credit(element: Element, *, desk: Desk) -> Credit:
    kind, status, books = element.get("Type"), element.get("Status") or "DRAFT", desk.books
    if kind not in TYPES:
        raise Invalid("Credit note type must be specified")
    if status not in NEW_STATUSES:
        raise Invalid(f"Credit note status {status} is not valid for a new credit note")
    number = str(element.get("CreditNoteNumber") or "")
    if number and books.credit_note(number) is not None:
        raise Invalid("Credit note # must be unique.")
    amount_types = amount_types_of(element, "Exclusive")
    made = Credit(
        id=str(uuid4()),
        type=kind,
        number=number,
        reference=str(element.get("Reference") or ""),
        contact=contact_of(element, books, now_ms=desk.now_ms),
        status=status,
        currency=currency_of(element, books),
        day=day_of(element, "Date") or desk.today,
        lines=lines_of(element, LineRules(books.chart, desk.places, is_sale=kind == "ACCRECCREDIT", amount_types=amount_types)),
        updated_at=desk.now_ms,
        line_amount_types=amount_types,
    )
    return checked(made)


def updated_credit(known: Credit, element: Element, *, desk: Desk) -> Credit:
    """The credit note with what the element says; what it leaves out stays. The known one is left as it is."""
    status, books = element.get("Status") or known.status, desk.books
    if known.status not in NEXT_STATUSES or status not in NEXT_STATUSES[known.status]:
        raise Invalid("Credit note not of valid status for modification")
    if (known.allocations or known.refunds) and (status == "VOIDED" or "LineItems" in element):
        raise Invalid("Credit note cannot be changed because it is allocated or refunded")
    amount_types = amount_types_of(element, known.line_amount_types)
    rules = LineRules(books.chart, desk.places, is_sale=known.is_sales, amount_types=amount_types)
    made = replace(
        known,
        status=status,
        lines=lines_of(element, rules) if element.get("LineItems") else known.lines,
        line_amount_types=amount_types if element.get("LineItems") else known.line_amount_types,
        contact=contact_of(element, books, now_ms=desk.now_ms) if element.get("Contact") else known.contact,
        day=day_of(element, "Date") or known.day,
        reference=str(element.get("Reference", known.reference) or ""),
        updated_at=desk.now_ms,
    )
    return checked(made)


def checked(credit: Credit) -> Credit:
    """Raises `Invalid` when an authorised one lacks what a draft may lack."""
    if credit.status == "AUTHORISED" and not all(line.account for line in credit.lines):
        raise Invalid("Account code must be specified")
    return credit
