from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.contract.sandbox.description import answers_described
from tests.support.sandbox import XERO, SandboxCaller
from zixly_sandbox.constants import ADA_IN_XERO, DEMO, OPEN_INVOICE, PAID_INVOICE, PART_PAID_INVOICE

LINE = {"Description": "Work", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
INVOICE = {"Type": "ACCREC", "Contact": {"ContactID": ADA_IN_XERO}, "LineItems": [LINE]}
PAYMENT = {"Invoice": {"InvoiceID": OPEN_INVOICE}, "Account": {"Code": "090"}, "Amount": 1}
ALL = f"{PAID_INVOICE},{PART_PAID_INVOICE},{OPEN_INVOICE}"

Case = tuple[str, str, str, Any, int]

# Method, described path, path, body, status.
CALLS: list[Case] = [
    ("GET", "/Invoices", "/Invoices?page=1&pageSize=1000", None, 200),
    ("GET", "/Invoices", f"/Invoices?IDs={ALL}&summaryOnly=true", None, 200),
    ("GET", "/Invoices/{InvoiceID}", f"/Invoices/{PAID_INVOICE}", None, 200),
    ("PUT", "/Invoices", "/Invoices", {"Invoices": [INVOICE]}, 200),
    ("PUT", "/Invoices", "/Invoices?summarizeErrors=false", {"Invoices": [INVOICE, {"Type": "ACCREC"}]}, 200),
    ("PUT", "/Invoices", "/Invoices", {"Invoices": [{**INVOICE, "InvoiceNumber": "INV-00001"}]}, 400),
    ("POST", "/Invoices", "/Invoices", {"Invoices": [{"InvoiceID": OPEN_INVOICE, "Reference": "r"}]}, 200),
    ("POST", "/Invoices/{InvoiceID}", f"/Invoices/{OPEN_INVOICE}", {"Invoices": [{"Reference": "r"}]}, 200),
    ("GET", "/Contacts", "/Contacts?page=1", None, 200),
    ("GET", "/Contacts/{ContactID}", f"/Contacts/{ADA_IN_XERO}", None, 200),
    ("PUT", "/Contacts", "/Contacts", {"Contacts": [{"Name": "New Person"}]}, 200),
    ("POST", "/Contacts/{ContactID}", f"/Contacts/{ADA_IN_XERO}", {"Contacts": [{"FirstName": "Augusta"}]}, 200),
    ("PUT", "/Payments", "/Payments", {"Payments": [PAYMENT]}, 200),
    ("PUT", "/Payments", "/Payments", {"Payments": [{**PAYMENT, "Amount": 10**9}]}, 400),
    ("GET", "/Payments", "/Payments?page=1", None, 200),
    ("GET", "/Organisation", "/Organisation", None, 200),
    ("GET", "/Accounts", "/Accounts", None, 200),
    ("GET", "/TaxRates", "/TaxRates", None, 200),
    ("GET", "/Items", "/Items", None, 200),
    ("GET", "/CreditNotes", "/CreditNotes?page=1", None, 200),
    ("PUT", "/Invoices", "/Invoices", {"Invoices": [{**INVOICE, "LineItems": [{**LINE, "DiscountRate": 5, "ItemCode": "SEO"}]}]}, 200),
]


@pytest.mark.parametrize("case", CALLS)
async def test_answers_fit_the_official_description(caller: SandboxCaller, case: Case) -> None:
    method, described, path, body, status = case
    answer = await caller.http.request(method, f"{XERO}{path}", json=body, headers=await caller.xero_headers())
    assert answer.status_code == status, answer.text
    assert answers_described("xero_accounting_subset").faults_of(answer, path=described) == []


async def test_credits_fit_the_official_description(caller: SandboxCaller) -> None:
    """An invoice that was paid in part, too much and by a credit note; the note itself; a refund and a deleted payment."""
    books, headers = f"/xero/{DEMO.organisation}/invoices", await caller.xero_headers()
    note = (await caller.admin("POST", f"{books}/{OPEN_INVOICE}/credit", {"amount": 10}))["credit_note"]
    await caller.admin("POST", f"{books}/{OPEN_INVOICE}/credit", {"amount": 5, "allocate": False})
    await caller.admin("POST", f"{books}/{OPEN_INVOICE}/pay", {"amount": 10_000})
    payment = (await caller.admin("POST", f"{books}/{PART_PAID_INVOICE}/pay", {"amount": 1}))["invoice"]["Payments"][-1]["PaymentID"]
    for path, described in (("/CreditNotes?page=1", "/CreditNotes"), (f"/Invoices/{OPEN_INVOICE}", "/Invoices/{InvoiceID}")):
        answer = await caller.http.get(f"{XERO}{path}", headers=headers)
        assert note["CreditNoteNumber"] in answer.text
        assert answers_described("xero_accounting_subset").faults_of(answer, path=described) == []
    deleted = await caller.http.post(f"{XERO}/Payments/{payment}", json={"Status": "DELETED"}, headers=headers)
    assert answers_described("xero_accounting_subset").faults_of(deleted, path="/Payments/{PaymentID}") == []


async def test_a_refused_call_carries_the_described_headers(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"xero": {"minute_calls": 0}})
    answer = await caller.http.get(f"{XERO}/Invoices", headers=await caller.xero_headers())
    assert answer.headers["X-Rate-Limit-Problem"] == "minute"
    for name in ("Retry-After", "X-MinLimit-Remaining", "X-DayLimit-Remaining", "X-AppMinLimit-Remaining"):
        assert answer.headers[name].isdecimal()


def test_the_check_notices_a_name_that_is_not_described() -> None:
    request = httpx2.Request("GET", "http://sandbox.test/Invoices")
    answer = httpx2.Response(200, json={"Invoices": [{"InvoiceId": "x", "Total": "1"}]}, request=request)
    faults = answers_described("xero_accounting_subset").faults_of(answer, path="/Invoices")
    assert len(faults) == 2
