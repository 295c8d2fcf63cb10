"""The sandbox on a free port of this machine, in a thread, so that a test sees and steers its state directly."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx2
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.busy import longest
from zixly_sandbox.app import create_app
from zixly_sandbox.constants import DEFAULT_SEED, DEMO, PAID_INVOICE
from zixly_sandbox.faults import FaultKind
from zixly_sandbox.http import System
from zixly_sandbox.hubspot.portal import Portal
from zixly_sandbox.hubspot.portal import Record as HubSpotRecord
from zixly_sandbox.protocol import DroppableProtocol
from zixly_sandbox.rules import Rules
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.usage import Write
from zixly_sandbox.xero.books import Books
from zixly_sandbox.xero.entries import Contact, Invoice, Payment

UPDATE_CALL = "POST /hubspot/crm/objects/*/batch/update"
READ_CALL = "POST /hubspot/crm/objects/*/batch/read"
INVOICES_CALL = "GET /xero/api.xro/2.0/Invoices*"


FAULTY: tuple[System, ...] = ("hubspot", "xero", "shopify", "asana")


class SandboxServer:
    """A sandbox that answers over HTTP. Its webhooks are not sent: without a lifespan they only pile up."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        app = create_app()
        self.sandbox: Sandbox = app.state.sandbox
        self.traceparents: list[str] = []
        """What callers said of their traces."""
        config = uvicorn.Config(
            self._noting_traces(app), http=DroppableProtocol, ws="none", access_log=False, log_config=None, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, name="sandbox", daemon=True)

    def _noting_traces(self, app: ASGIApp) -> ASGIApp:
        async def noting(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.traceparents += [value.decode() for name, value in scope["headers"] if name == b"traceparent"]
            await app(scope, receive, send)

        return noting

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def books(self) -> Books:
        """The demo client's organisation in Xero."""
        return self.sandbox.xero.organisations[DEMO.organisation].books

    @property
    def portal(self) -> Portal:
        """The demo client's portal in HubSpot."""
        return self.sandbox.hubspot.accounts[DEMO.portal].portal

    def start(self) -> None:
        self._thread.start()
        end = time.monotonic() + longest(10)
        while not self._server.started:
            assert time.monotonic() < end, "the sandbox did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def start_over(self) -> None:
        """The data of the first start, the vendors' usual limits, and the machine's time: what a test before moved forward is undone."""
        self.sandbox.clock._offset = 0.0
        self.sandbox.rules.change(Rules().as_dict())
        self.sandbox.reset(DEFAULT_SEED)
        self.traceparents.clear()

    def fault(self, call: str, kind: FaultKind, *, seconds: float = 1, count: int | None = 1) -> None:
        system: System = next(name for name in FAULTY if f"/{name}/" in call)
        self.sandbox.faults.add(system, pattern=call, kind=kind, seconds=seconds, count=count)

    def calls(self) -> dict[str, int]:
        """How often each endpoint was called, tokens left out."""
        counts: Counter[str] = Counter()
        for row in self.sandbox.calls.rows():
            if "token" not in row["endpoint"]:
                counts[f"{row['system']} {row['endpoint']}"] += row["count"]
        return dict(counts)

    def admin(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the sandbox's own API, such as `("POST", "/hubspot/62515/deals", {...})`."""
        url = f"{self.url}/_sandbox{path}"
        answer = httpx2.request(method, url, json=body, timeout=10, trust_env=False).raise_for_status()
        return answer.json() if answer.content else None

    def created(self, object_type: str) -> list[Write]:
        """What was created of a type, at any vendor."""
        return self.sandbox.writes.select(operation="CREATE", object_type=object_type)

    def doubled(self) -> list[dict[str, Any]]:
        """What was created more than once under one natural key."""
        found: list[dict[str, Any]] = self.admin("GET", "/objects?doubled=true")["objects"]
        return found

    def writes(self, contact: str | None = None) -> list[Write]:
        """The writes to HubSpot's contacts."""
        return self.sandbox.writes.select(system="hubspot", object_type="contacts", object_id=contact)

    def contact(self, key: str) -> dict[str, Any]:
        """A contact's properties as they stand."""
        return dict(self.portal.contacts.records[key].properties)

    def add_customer(
        self, email: str, *, name: str, other_email: str = "", in_hubspot: bool = True
    ) -> tuple[Contact, HubSpotRecord | None]:
        """A customer in the books, and its contact, which may know the address as an additional one."""
        now = self.sandbox.clock.milliseconds()
        key = f"00000000-0000-4000-8000-{len(self.books.contacts):012d}"
        customer = Contact(key, name, email, now, is_customer=True)
        self.books.keep_contact(customer)
        if not in_hubspot:
            return customer, None
        emails = {"email": other_email, "hs_additional_emails": email} if other_email else {"email": email}
        return customer, self.portal.new_record(self.portal.contacts, {**emails, "firstname": name}, now=now, lag_ms=0)

    def add_paid_invoice(self, customer: Contact, *, changed_ms_later: int = 0) -> Invoice:
        """A sales invoice of this customer, paid in full."""
        made = self.add_invoice(customer)
        self.pay(made, changed_ms_later=changed_ms_later)
        return made

    def add_invoice(self, customer: Contact, *, kind: str = "ACCREC") -> Invoice:
        like = self.books.invoices[PAID_INVOICE]
        made = Invoice(
            id=f"11111111-1111-4111-8111-{len(self.books.invoices):012d}",
            type=kind,
            number=self.books.next_number(),
            reference="",
            contact=customer,
            status="AUTHORISED",
            currency=like.currency,
            day=like.day,
            due_day=like.due_day,
            lines=like.lines,
            updated_at=like.updated_at,
        )
        self.books.keep_invoice(made)
        return made

    def pay(self, invoice: Invoice, *, changed_ms_later: int = 0) -> None:
        now = self.sandbox.clock.milliseconds() + changed_ms_later
        paid = Payment(f"{invoice.id[:-1]}f", invoice.id, invoice.due, invoice.day, "090", "", now)
        self.books.keep_payment(paid, now=now)

    def take_payment_back(self, invoice: Invoice, *, changed_ms_later: int) -> None:
        """The bank returned the money: the invoice is open again."""
        for payment in invoice.payments:
            self.books.payments.pop(payment.id)
        invoice.payments.clear()
        invoice.status, invoice.fully_paid_on = "AUTHORISED", None
        invoice.updated_at = self.sandbox.clock.milliseconds() + changed_ms_later
