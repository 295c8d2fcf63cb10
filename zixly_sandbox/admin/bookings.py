"""`/_sandbox/xero`: bookings that people make there beside paying in full: part payments, too much money, credit notes, voiding."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.admin.records import books_of, invoice_of
from zixly_sandbox.admin.state import today_of
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.credit_documents import credit_note_document, overpayment_document, told
from zixly_sandbox.xero.documents import invoice_document
from zixly_sandbox.xero.entries import Allocation, Credit, Invoice, Line, Payment
from zixly_sandbox.xero.money import cents_of

BANK, SALES, RECEIVABLE = "090", "200", "610"


class Amount(BaseModel):
    """An amount in the invoice's currency."""

    amount: float = Field(gt=0, le=10**9)
    reference: str = "Bank transfer"


class CreditAmount(BaseModel):
    """How much to credit; all that is due where it is left out."""

    amount: float | None = Field(default=None, gt=0, le=10**9)
    allocate: bool = True


def bookings_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(prefix="/xero/{organisation}/invoices/{invoice}", tags=["records"])

    @router.post("/pay")
    async def pay_part(organisation: str, invoice: str, body: Amount) -> dict[str, Any]:
        """A payment of this amount; what is above the amount due becomes an overpayment, as in a bank reconciliation."""
        books = books_of(sandbox, organisation)
        return received(sandbox, books, authorised(books, invoice), body)

    @router.post("/unpay")
    async def unpay(organisation: str, invoice: str) -> dict[str, Any]:
        """Remove all payments of an invoice: it is open again."""
        books = books_of(sandbox, organisation)
        found = invoice_of(books, invoice)
        for payment in tuple(found.payments):
            books.drop_payment(payment, now=sandbox.clock.milliseconds())
        sandbox.webhook.emit(books.id, "INVOICE", found.id, "UPDATE")
        return invoice_document(found, books=books)

    @router.post("/void")
    async def void(organisation: str, invoice: str) -> dict[str, Any]:
        """Void an open invoice without payments or credits; a draft is deleted."""
        books = books_of(sandbox, organisation)
        found = invoice_of(books, invoice)
        if found.status not in {"DRAFT", "SUBMITTED", "AUTHORISED"} or found.payments or found.allocations:
            raise HTTPException(409, f"Invoice {found.id} is {found.status} or has payments or credits; it cannot be voided.")
        found.status = "VOIDED" if found.status == "AUTHORISED" else "DELETED"
        found.updated_at = sandbox.clock.milliseconds()
        sandbox.webhook.emit(books.id, "INVOICE", found.id, "UPDATE")
        return invoice_document(found, books=books)

    @router.post("/credit")
    async def credit(organisation: str, invoice: str, body: CreditAmount) -> dict[str, Any]:
        """An authorised credit note for an invoice's contact, set against the invoice unless `allocate` is false."""
        books = books_of(sandbox, organisation)
        return credited(sandbox, books, authorised(books, invoice), body)

    return router


def authorised(books: Books, key: str) -> Invoice:
    """409 for an invoice that nothing can be booked against."""
    found = invoice_of(books, key)
    if found.status != "AUTHORISED":
        raise HTTPException(409, f"Invoice {found.id} is {found.status}; only an authorised one takes payments and credits.")
    return found


def received(sandbox: Sandbox, books: Books, invoice: Invoice, body: Amount) -> dict[str, Any]:
    now, today, cents = sandbox.clock.milliseconds(), today_of(sandbox), cents_of(body.amount)
    over = max(0, cents - invoice.due)
    payment = Payment(str(uuid4()), invoice.id, cents - over, today, BANK, body.reference, now)
    books.keep_payment(payment, now=now)
    sandbox.webhook.emit(books.id, "INVOICE", invoice.id, "UPDATE")
    answer = {"invoice": invoice_document(invoice, books=books)}
    if not over:
        return answer
    overpayment = kept_credit(sandbox, books, invoice, "RECEIVE-OVERPAYMENT", line(over, "Overpayment", account=RECEIVABLE))
    sandbox.webhook.emit(books.id, "OVERPAYMENT", overpayment.id, "CREATE")
    return {**answer, "overpayment": overpayment_document(overpayment, books=books)}


def credited(sandbox: Sandbox, books: Books, invoice: Invoice, body: CreditAmount) -> dict[str, Any]:
    cents = invoice.due if body.amount is None else cents_of(body.amount)
    note = kept_credit(sandbox, books, invoice, "ACCRECCREDIT", line(cents, f"Credit for {invoice.number}", account=SALES))
    sandbox.webhook.emit(books.id, "CREDITNOTE", note.id, "CREATE", told(note))
    if body.allocate:
        allocation = Allocation(str(uuid4()), note.id, invoice.id, min(cents, invoice.due), today_of(sandbox))
        books.allocate(allocation, now=sandbox.clock.milliseconds())
        sandbox.webhook.emit(books.id, "CREDITNOTE", note.id, "UPDATE", told(note))
        sandbox.webhook.emit(books.id, "INVOICE", invoice.id, "UPDATE")
    return {"credit_note": credit_note_document(note, books=books), "invoice": invoice_document(invoice, books=books)}


def kept_credit(sandbox: Sandbox, books: Books, invoice: Invoice, kind: str, only: Line) -> Credit:
    made = Credit(
        id=str(uuid4()),
        type=kind,
        number=books.next_credit_number() if kind == "ACCRECCREDIT" else "",
        reference=invoice.number,
        contact=invoice.contact,
        status="AUTHORISED",
        currency=invoice.currency,
        day=today_of(sandbox),
        lines=(only,),
        updated_at=sandbox.clock.milliseconds(),
        line_amount_types="NoTax",
    )
    books.keep_credit(made)
    return made


def line(cents: int, text: str, *, account: str) -> Line:
    return Line(str(uuid4()), text, 1.0, cents * 100, account, "NONE", 0, cents)
