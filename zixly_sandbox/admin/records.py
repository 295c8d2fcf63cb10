"""`/_sandbox/xero`: what people do there, such as paying an invoice."""

from __future__ import annotations

from itertools import islice
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from zixly_sandbox.admin.state import client_of, today_of
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.contacts import change_contact
from zixly_sandbox.xero.documents import contact_document, invoice_document
from zixly_sandbox.xero.entries import Contact, Invoice, Payment


class Pay(BaseModel):
    """Which invoices to pay in full: those named, or so many open sales invoices."""

    invoice_ids: list[str] | None = None
    count: int = Field(default=1, ge=1, le=100_000)


class ContactChange(BaseModel):
    """New values by Xero's names, such as `{"EmailAddress": "a@b.example"}`."""

    values: dict[str, str]


def records_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(tags=["records"])

    @router.post("/xero/{organisation}/pay")
    async def pay(organisation: str, body: Pay) -> dict[str, Any]:
        """Pay invoices in full; a webhook tells of each (INVOICE UPDATE)."""
        books = books_of(sandbox, organisation)
        return {"paid": [paid(sandbox, books, invoice) for invoice in to_pay(books, body)]}

    @router.get("/xero/{organisation}/invoices/{invoice}")
    async def invoice(organisation: str, invoice: str) -> dict[str, Any]:
        """The invoice as the Accounting API shows it, without counting as a call."""
        books = books_of(sandbox, organisation)
        return invoice_document(invoice_of(books, invoice), books=books)

    @router.delete("/xero/{organisation}/invoices/{invoice}", status_code=204)
    async def remove_invoice(organisation: str, invoice: str) -> None:
        """Make the invoice disappear; no webhook tells of it."""
        books = books_of(sandbox, organisation)
        books.remove_invoice(invoice_of(books, invoice).id)

    @router.patch("/xero/{organisation}/contacts/{contact}")
    async def change(organisation: str, contact: str, body: ContactChange) -> dict[str, Any]:
        """Change a contact; a webhook tells of it (CONTACT UPDATE)."""
        books = books_of(sandbox, organisation)
        found = contact_of(books, contact)
        change_contact(found, dict(body.values), books=books, now_ms=sandbox.clock.milliseconds())
        sandbox.webhook.emit(books.id, "CONTACT", found.id, "UPDATE")
        return contact_document(found)

    return router


def books_of(sandbox: Sandbox, organisation: str) -> Books:
    return sandbox.xero.organisations[client_of(organisation).organisation].books


def invoice_of(books: Books, key: str) -> Invoice:
    found = books.invoices.get(key.lower())
    if found is None:
        raise HTTPException(404, f"There is no invoice {key}.")
    return found


def contact_of(books: Books, key: str) -> Contact:
    found = books.contacts.get(key.lower())
    if found is None:
        raise HTTPException(404, f"There is no contact {key}.")
    return found


def to_pay(books: Books, body: Pay) -> list[Invoice]:
    """The invoices to pay; 409 for a named one that cannot be paid."""
    if body.invoice_ids is None:
        return list(islice(books.open_sales(), body.count))
    named = [invoice_of(books, key) for key in body.invoice_ids]
    for invoice in named:
        if invoice.status != "AUTHORISED":
            raise HTTPException(409, f"Invoice {invoice.id} is {invoice.status} and cannot be paid.")
    return named


def paid(sandbox: Sandbox, books: Books, invoice: Invoice) -> str:
    now = sandbox.clock.milliseconds()
    payment = Payment(str(uuid4()), invoice.id, invoice.due, today_of(sandbox), "090", "Bank transfer", now)
    books.keep_payment(payment, now=now)
    sandbox.webhook.emit(books.id, "INVOICE", invoice.id, "UPDATE")
    return invoice.id
