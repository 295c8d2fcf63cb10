"""Xero's addresses, under `/xero`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from zixly_sandbox.gate import Gate, Handler, House
from zixly_sandbox.http import Answer, Call
from zixly_sandbox.xero import contacts, invoice_writes, invoices, payments
from zixly_sandbox.xero.answers import records
from zixly_sandbox.xero.desk import Visit, XeroDesk
from zixly_sandbox.xero.documents import organisation_document
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
    ("GET", "/Payments/{payment}", payments.one_payment),
)
IDENTITY: tuple[tuple[str, str, Callable[[XeroIdentity, Call], Answer]], ...] = (
    ("POST", "/identity/connect/token", XeroIdentity.token),
    ("GET", "/identity/connect/authorize", XeroIdentity.authorize),
    ("GET", "/login/identity/connect/authorize", XeroIdentity.authorize),
    ("POST", "/identity/connect/revocation", XeroIdentity.revocation),
    ("GET", "/connections", XeroIdentity.connections),
    ("DELETE", "/connections/{connection}", XeroIdentity.disconnect),
)


def organisation(call: Call, visit: Visit) -> Answer:
    return records("Organisations", [organisation_document(visit.books)], now_ms=visit.desk.clock.milliseconds())


def xero_routes(house: House, desk: Callable[[], XeroDesk]) -> list[BaseRoute]:
    """`desk` gives the vendor of the moment: a reset replaces it."""
    found: list[BaseRoute] = [
        route(method, f"/api.xro/2.0{path}", Gate(house, desk, f"{method} {path}", handler))
        for method, path, handler in (*ACCOUNTING, ("GET", "/Organisation", organisation))
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
