"""Every further request of Xero's client: allowed by the official description, equal to what the official client sends."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import orjson
import pytest

from tests.contract.clients.recorded import recorded, seen
from tests.contract.clients.test_requests import xero_faults
from tests.unit.clients.test_xero_client import Xero, ids
from tests.unit.clients.vendor import answered
from zixly_core.systems.xero.contacts import NewContact
from zixly_core.systems.xero.fields import instant_from
from zixly_core.systems.xero.payments import NewPayment
from zixly_core.systems.xero.writes import NewCreditNote, NewInvoice, NewLine

CONTACT = "430fa14a-f945-44d3-9f97-5df5e28441b8"
LINE = NewLine("Onboarding", Decimal(1), Decimal(1250), "200", tax_type="OUTPUT2")
FULL_LINE = NewLine("Onboarding", Decimal("1.5"), Decimal("0.0125"), "200", "OUTPUT2", discount_rate=Decimal("12.5"), item_code="A1")
DAY = date(2026, 11, 22)
INVOICE = NewInvoice(
    "a", "HS-1", CONTACT, (LINE,), date=DAY, due_date=date(2026, 12, 22), currency="GBP", reference="HS-17812345601", status="DRAFT"
)

# What the official client sends of its own accord, which means nothing in a request.
NOISE = {"HasAttachments", "HasValidationErrors", "HasErrors"}


def anything(request: httpx2.Request) -> httpx2.Response:
    """An answer in which nothing is found, or nothing told of what was written."""
    name = request.url.path.rpartition("/")[2]
    return answered({name: []})


def plain(node: Any) -> Any:
    """A body without the official client's noise, dates as days."""
    if isinstance(node, list):
        return [plain(one) for one in node]
    if not isinstance(node, dict):
        return instant_from(node).date().isoformat() if isinstance(node, str) and node.startswith("/Date(") else node
    return {name: plain(value) for name, value in node.items() if name not in NOISE}


def test_a_contact_is_created_as_the_official_client_does() -> None:
    xero = Xero(anything)
    xero.client.create_contacts(
        [NewContact("a", "Ada Lovelace", email="ada.lovelace@example.test", number="hs-901")], idempotency_key="contact:901"
    )
    (request,) = xero.vendor.requests
    sent, expected = seen(request), recorded("xero", "create-contact")
    assert sent.pop("query") == [["summarizeErrors", "false"]]
    assert {**sent, "query": []} == {**expected, "body": plain(expected["body"])}
    assert xero_faults(request) == []


def test_a_draft_invoice_is_created_as_the_official_client_does_with_our_number_beside() -> None:
    xero = Xero(anything)
    xero.client.create_invoices([INVOICE], idempotency_key="hubspot:deal:17812345601:won")
    (request,) = xero.vendor.requests
    sent, expected = seen(request), recorded("xero", "create-draft-invoice")
    (element,) = sent["body"]["Invoices"]
    assert (element.pop("InvoiceNumber"), element.pop("LineAmountTypes")) == ("HS-1", "Exclusive")
    assert sent == {**expected, "body": plain(expected["body"])}
    assert xero_faults(request) == []


def test_an_invoice_is_changed_with_the_call_that_the_official_client_updates_with() -> None:
    xero = Xero(anything)
    xero.client.change_invoice_status(ids(1)[0], "VOIDED", idempotency_key="shopify:order:5678901234567")
    (request,) = xero.vendor.requests
    sent, expected = seen(request), recorded("xero", "upsert-invoices")
    assert {**sent, "body": None} == {**expected, "body": None}
    assert sent["body"] == {"Invoices": [{"InvoiceID": ids(1)[0], "Status": "VOIDED"}]}
    assert xero_faults(request) == []


def test_a_contact_is_found_by_address_as_the_official_client_does() -> None:
    xero = Xero(anything)
    xero.client.contacts_by_email(["ada.lovelace@example.test"])
    (request,) = xero.vendor.requests
    assert seen(request) == recorded("xero", "get-contacts-where-email")
    assert xero_faults(request) == []


def test_every_other_call_of_xero_is_allowed_by_its_description() -> None:
    xero = Xero(anything)
    client, some = xero.client, ids(40)
    full = NewInvoice("b", "HS-2", CONTACT, (FULL_LINE,), DAY, DAY, status="AUTHORISED", line_amount_types="NoTax", url="https://x.test")
    client.create_invoices([INVOICE, full], idempotency_key="k")
    client.create_credit_notes(
        [NewCreditNote("c", "CN-1", CONTACT, (FULL_LINE,), DAY, "AUD", "r", "AUTHORISED", "Inclusive")], idempotency_key="k"
    )
    client.allocate_credit_note(some[0], invoice_id=some[1], amount=Decimal("10.50"), date=DAY, idempotency_key="k")
    client.create_payments(
        [NewPayment("d", some[0], "090", Decimal("1.25"), DAY, "pay"), NewPayment("e", some[0], CONTACT, Decimal(1), DAY, "")],
        idempotency_key="k",
    )
    client.contacts_by_name(["Ada Lovelace", 'Ada "x"'])
    client.invoices_by_numbers(["HS-1", "a,b"])
    client.credit_notes_by_ids(some)
    client.credit_notes_by_numbers(["CN-1", "CN-2"])
    client.changes_page(datetime(2026, 11, 21, tzinfo=UTC), number=1, statuses=("DRAFT",), page_size=100)
    client.accounts()
    client.tax_rates()
    with pytest.raises(Exception, match="Organisations"):
        client.organisation()
    assert len(xero.vendor.requests) == 16
    assert [(request.url.path, xero_faults(request)) for request in xero.vendor.requests if xero_faults(request)] == []
    assert max(len(str(request.url)) for request in xero.vendor.requests) < 2_000


def test_the_check_itself_refuses_a_misspelt_name_deep_in_a_body() -> None:
    url = "https://x.test/api.xro/2.0/Invoices?summarizeErrors=false"
    body = {"Invoices": [{"Type": "ACCREC", "LineItems": [{"Descripton": "x"}]}]}
    headers = {"xero-tenant-id": "t", "content-type": "application/json"}
    request = httpx2.Request("PUT", url, content=orjson.dumps(body), headers=headers)
    assert xero_faults(request) == ["Descripton is not described"]
