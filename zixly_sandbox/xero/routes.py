"""Xero's addresses, under `/xero`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from zixly_sandbox.gate import Gate, Handler, House
from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero import allocations, contacts, credit_reads, credit_writes, invoice_writes, invoices, payments, setup_calls
from zixly_sandbox.xero.desk import XeroDesk
from zixly_sandbox.xero.identity import XeroIdentity

# Method, path, handler: the Accounting API. Often used ones first.
ACCOUNTING: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/Invoices", invoices.list_invoices),
    ("GET", "/Invoices/{invoice}", invoices.one_invoice),
    ("PUT", "/Invoices", invoice_writes.create_invoices),
    ("POST", "/Invoices", invoice_writes.save_invoices),
    ("POST", "/Invoices/{invoice}", invoice_writes.save_one_invoice),
    ("GET", "/Contacts", contacts.list_contacts),
    ("GET", "/Contacts/{contact}", contacts.one_contact),
    ("PUT", "/Contacts", contacts.create_contacts),
    ("POST", "/Contacts", contacts.save_contacts),
    ("POST", "/Contacts/{contact}", contacts.save_one_contact),
    ("PUT", "/Payments", payments.create_payments),
    ("POST", "/Payments", payments.create_payments),
    ("GET", "/Payments", payments.list_payments),
    ("GET", "/Payments/{payment}", payments.one_payment),
    ("POST", "/Payments/{payment}", payments.delete_payment),
    ("GET", "/CreditNotes", credit_reads.list_credit_notes),
    ("PUT", "/CreditNotes", credit_writes.create_credit_notes),
    ("POST", "/CreditNotes", credit_writes.save_credit_notes),
    ("GET", "/CreditNotes/{credit}", credit_reads.one_credit_note),
    ("POST", "/CreditNotes/{credit}", credit_writes.save_one_credit_note),
    ("PUT", "/CreditNotes/{credit}/Allocations", allocations.create_allocations),
    ("DELETE", "/CreditNotes/{credit}/Allocations/{allocation}", allocations.delete_allocation),
    ("GET", "/Overpayments", credit_reads.list_overpayments),
    ("GET", "/Overpayments/{credit}", credit_reads.one_overpayment),
    ("PUT", "/Overpayments/{credit}/Allocations", allocations.create_allocations),
    ("DELETE", "/Overpayments/{credit}/Allocations/{allocation}", allocations.delete_allocation),
    ("GET", "/Organisation", setup_calls.organisation),
    ("GET", "/Accounts", setup_calls.list_accounts),
    ("GET", "/TaxRates", setup_calls.list_tax_rates),
    ("GET", "/Items", setup_calls.list_items),
    ("GET", "/Currencies", setup_calls.list_currencies),
)
IDENTITY: tuple[tuple[str, str, Callable[[XeroIdentity, Call], Answer]], ...] = (
    ("POST", "/identity/connect/token", XeroIdentity.token),
    ("GET", "/identity/connect/authorize", XeroIdentity.authorize),
    ("GET", "/login/identity/connect/authorize", XeroIdentity.authorize),
    ("POST", "/identity/connect/revocation", XeroIdentity.revocation),
    ("GET", "/connections", XeroIdentity.connections),
    ("DELETE", "/connections/{connection}", XeroIdentity.disconnect),
)


def xero_routes(house: House, desk: Callable[[], XeroDesk]) -> list[BaseRoute]:
    """`desk` gives the vendor of the moment: a reset replaces it."""
    found: list[BaseRoute] = [
        route(method, f"/api.xro/2.0{path}", Gate(house, desk, f"{method} {path}", handler)) for method, path, handler in ACCOUNTING
    ]
    for method, path, handler in IDENTITY:
        gate = Gate(house, desk, f"{method} {path}", open_handler(desk, handler), is_open=True)
        found.append(route(method, path, gate))
    return found


def open_handler(desk: Callable[[], XeroDesk], handler: Callable[[XeroIdentity, Call], Answer]) -> Handler:
    def handle(call: Call, _visit: object) -> Answer:
        return handler(XeroIdentity(desk()), call)

    return handle


def route(method: str, path: str, gate: Gate) -> Route:
    return Route(path, gate, methods=[method])
