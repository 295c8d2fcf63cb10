"""Credit notes, refunds, part payments, voiding, taxes, and what an organisation was set up with."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.support.sandbox import XERO, SandboxCaller
from zixly_sandbox.constants import ADA_IN_XERO, DEMO, OPEN_INVOICE, PAID_INVOICE, PART_PAID_INVOICE, SECOND

LINE = {"Description": "Work", "Quantity": 1, "UnitAmount": 100, "AccountCode": "200"}
DRAFT = {"Type": "ACCREC", "Contact": {"ContactID": ADA_IN_XERO}, "LineItems": [LINE], "Status": "DRAFT"}
OPEN = {**DRAFT, "Status": "AUTHORISED", "DueDate": "2026-12-22"}
NOTE = {"Type": "ACCRECCREDIT", "Contact": {"ContactID": ADA_IN_XERO}, "LineItems": [LINE], "Status": "AUTHORISED"}


async def send(caller: SandboxCaller, method: str, path: str, body: Any = None) -> httpx2.Response:
    return await caller.http.request(method, f"{XERO}{path}", json=body, headers=await caller.xero_headers())


async def written(caller: SandboxCaller, name: str, element: dict[str, Any], *, query: str = "") -> dict[str, Any]:
    answer = await send(caller, "PUT", f"/{name}{query}", {name: [element]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()[name][0]
    return found


async def invoice(caller: SandboxCaller, key: str) -> dict[str, Any]:
    found: dict[str, Any] = (await send(caller, "GET", f"/Invoices/{key}")).json()["Invoices"][0]
    return found


async def refused(caller: SandboxCaller, method: str, path: str, body: Any) -> str:
    """What Xero says about the element."""
    answer = await send(caller, method, path, body)
    assert answer.status_code == 400, answer.text
    return str(answer.json()["Elements"][0]["ValidationErrors"][0]["Message"])


async def test_a_credit_note_is_set_against_an_invoice_until_both_are_paid(caller: SandboxCaller) -> None:
    bill, note = await written(caller, "Invoices", OPEN), await written(caller, "CreditNotes", {**NOTE, "CreditNoteNumber": "CN-1"})
    path = f"/CreditNotes/{note['CreditNoteID']}"
    half = {"Allocations": [{"Amount": 60, "Date": "2026-11-22", "Invoice": {"InvoiceID": bill["InvoiceID"]}}]}
    assert (await send(caller, "PUT", f"{path}/Allocations", half)).json()["Allocations"][0]["Amount"] == 60
    present, open_note = await invoice(caller, bill["InvoiceID"]), (await send(caller, "GET", path)).json()["CreditNotes"][0]
    assert (present["AmountCredited"], present["AmountDue"], present["Status"]) == (60, 50, "AUTHORISED")
    assert (open_note["RemainingCredit"], open_note["Status"]) == (50, "AUTHORISED")
    assert "exceeds" in await refused(caller, "PUT", f"{path}/Allocations", half)
    half["Allocations"][0]["Amount"] = 50
    await send(caller, "PUT", f"{path}/Allocations", half)
    present, used = await invoice(caller, bill["InvoiceID"]), (await send(caller, "GET", "/CreditNotes/CN-1")).json()["CreditNotes"][0]
    assert (present["Status"], present["CreditNotes"][0]["CreditNoteNumber"], used["Status"]) == ("PAID", "CN-1", "PAID")
    assert [item["Invoice"]["InvoiceID"] for item in used["Allocations"]] == [bill["InvoiceID"]] * 2


async def test_an_allocation_that_is_deleted_opens_both_again(caller: SandboxCaller) -> None:
    answer = await caller.admin("POST", f"/xero/{DEMO.organisation}/invoices/{OPEN_INVOICE}/credit", {})
    note = answer["credit_note"]
    assert (answer["invoice"]["Status"], note["Status"]) == ("PAID", "PAID")
    path = f"/CreditNotes/{note['CreditNoteID']}/Allocations/{note['Allocations'][0]['AllocationID']}"
    assert (await send(caller, "DELETE", path)).json()["Allocations"][0]["IsDeleted"]
    present = await invoice(caller, OPEN_INVOICE)
    assert (present["Status"], present["AmountDue"], "FullyPaidOnDate" in present) == ("AUTHORISED", present["Total"], False)


async def test_credit_goes_to_the_same_contact_only(caller: SandboxCaller) -> None:
    note = await written(caller, "CreditNotes", NOTE)
    body = {"Allocations": [{"Amount": 1, "Invoice": {"InvoiceID": PART_PAID_INVOICE}}]}
    assert "another contact" in await refused(caller, "PUT", f"/CreditNotes/{note['CreditNoteID']}/Allocations", body)


async def test_credit_notes_are_found_with_where_and_not_by_ids(caller: SandboxCaller) -> None:
    notes = [await written(caller, "CreditNotes", {**NOTE, "CreditNoteNumber": f"CN-{number}", "Reference": "R"}) for number in range(3)]
    keys = [note["CreditNoteID"] for note in notes]
    wanted = f'CreditNoteID==guid("{keys[0]}") OR CreditNoteNumber=="cn-2" AND Reference=="R"'
    answer = await caller.http.get(f"{XERO}/CreditNotes", params={"where": wanted, "page": 1}, headers=await caller.xero_headers())
    assert [item["CreditNoteID"] for item in answer.json()["CreditNotes"]] == [keys[0], keys[2]]
    ignored = await send(caller, "GET", f"/CreditNotes?IDs={keys[0]}")
    assert len(ignored.json()["CreditNotes"]) == 3


async def test_a_refund_uses_up_the_credit(caller: SandboxCaller) -> None:
    note = await written(caller, "CreditNotes", NOTE)
    payment = {"CreditNote": {"CreditNoteID": note["CreditNoteID"]}, "Account": {"Code": "090"}, "Amount": 110}
    made = await written(caller, "Payments", payment)
    assert (made["PaymentType"], made["CreditNote"]["CreditNoteID"]) == ("ARCREDITPAYMENT", note["CreditNoteID"])
    assert (await send(caller, "GET", f"/CreditNotes/{note['CreditNoteID']}")).json()["CreditNotes"][0]["RemainingCredit"] == 0


async def test_a_paid_invoice_is_voided_only_after_its_payments_are_deleted(caller: SandboxCaller) -> None:
    void = {"Invoices": [{"InvoiceID": PAID_INVOICE, "Status": "VOIDED"}]}
    assert await refused(caller, "POST", "/Invoices", void) == "Invoice not of valid status for modification"
    payment = (await invoice(caller, PAID_INVOICE))["Payments"][0]["PaymentID"]
    deleted = await send(caller, "POST", f"/Payments/{payment}", {"Status": "DELETED"})
    assert (deleted.json()["Payments"][0]["Status"], (await invoice(caller, PAID_INVOICE))["Status"]) == ("DELETED", "AUTHORISED")
    voided = (await send(caller, "POST", "/Invoices", void)).json()["Invoices"][0]
    assert (voided["Status"], voided["AmountDue"]) == ("VOIDED", 0)


@pytest.mark.parametrize(
    ("key", "status", "text"),
    [
        (PART_PAID_INVOICE, "VOIDED", "Invoice cannot be changed because it has payments or credit notes allocated to it"),
        (OPEN_INVOICE, "DELETED", "Invoice not of valid status for modification"),
    ],
)
async def test_what_was_paid_in_part_is_not_voided_and_what_was_approved_is_not_deleted(
    caller: SandboxCaller, key: str, status: str, text: str
) -> None:
    assert await refused(caller, "POST", f"/Invoices/{key}", {"Status": status}) == text


async def test_a_draft_is_deleted(caller: SandboxCaller) -> None:
    draft = await written(caller, "Invoices", DRAFT)
    gone = (await send(caller, "POST", f"/Invoices/{draft['InvoiceID']}", {"Status": "DELETED"})).json()["Invoices"][0]
    assert (gone["Status"], gone["AmountDue"]) == ("DELETED", 0)


async def test_payments_are_listed_with_what_they_were_for(caller: SandboxCaller) -> None:
    payment = {"Invoice": {"InvoiceID": OPEN_INVOICE}, "Account": {"Code": "606"}, "Amount": 5, "Reference": "Order #1001"}
    made = await written(caller, "Payments", payment)
    where = f'Invoice.InvoiceID==guid("{OPEN_INVOICE}") AND Reference=="order #1001"'
    answer = await caller.http.get(f"{XERO}/Payments", params={"where": where}, headers=await caller.xero_headers())
    assert [item["PaymentID"] for item in answer.json()["Payments"]] == [made["PaymentID"]]


@pytest.mark.parametrize("account", [{"Code": "200"}, {"Code": "999"}, {}])
async def test_payments_go_to_accounts_that_take_them(caller: SandboxCaller, account: dict[str, str]) -> None:
    body = {"Payments": [{"Invoice": {"InvoiceID": OPEN_INVOICE}, "Account": account, "Amount": 5}]}
    assert "ccount" in await refused(caller, "PUT", "/Payments", body)


async def test_too_much_money_becomes_an_overpayment(caller: SandboxCaller) -> None:
    due = (await invoice(caller, OPEN_INVOICE))["AmountDue"]
    answer = await caller.admin("POST", f"/xero/{DEMO.organisation}/invoices/{OPEN_INVOICE}/pay", {"amount": due + 12.5})
    over = (await send(caller, "GET", f"/Overpayments/{answer['overpayment']['OverpaymentID']}")).json()["Overpayments"][0]
    assert (answer["invoice"]["Status"], over["RemainingCredit"], over["Type"]) == ("PAID", 12.5, "RECEIVE-OVERPAYMENT")
    assert (await send(caller, "GET", "/CreditNotes")).json()["CreditNotes"] == []


@pytest.mark.parametrize(
    ("kind", "sums"), [("Exclusive", (99.99, 10.0, 109.99)), ("Inclusive", (90.9, 9.09, 99.99)), ("NoTax", (99.99, 0, 99.99))]
)
async def test_taxes_follow_from_the_kind_of_line_amounts(caller: SandboxCaller, kind: str, sums: tuple[float, ...]) -> None:
    made = await written(caller, "Invoices", {**DRAFT, "LineAmountTypes": kind, "LineItems": [{**LINE, "UnitAmount": 99.99}]})
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == sums


@pytest.mark.parametrize(
    ("line", "amount"),
    [
        ({"Quantity": 3, "UnitAmount": 33.335}, 100.02),
        ({"Quantity": 2, "UnitAmount": 10, "DiscountRate": 12.5}, 17.5),
        ({"Quantity": 1, "ItemCode": "CONSULT", "UnitAmount": None}, 180),
    ],
)
async def test_the_amount_of_a_line_follows_from_price_quantity_and_discount(
    caller: SandboxCaller, line: dict[str, Any], amount: float
) -> None:
    made = await written(caller, "Invoices", {**DRAFT, "LineItems": [{**LINE, **line}]})
    assert made["LineItems"][0]["LineAmount"] == amount


async def test_four_places_of_a_price_are_kept_on_request(caller: SandboxCaller) -> None:
    made = await written(caller, "Invoices", {**DRAFT, "LineItems": [{**LINE, "Quantity": 3, "UnitAmount": 33.3335}]}, query="?unitdp=4")
    assert (made["LineItems"][0]["UnitAmount"], made["LineItems"][0]["LineAmount"]) == (33.3335, 100.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"LineItems": [{**LINE, "AccountCode": "999"}]},
        {"LineItems": [{**LINE, "AccountCode": "090"}]},
        {"LineItems": [{**LINE, "AccountCode": "499"}]},
        {"LineItems": [{**LINE, "TaxType": "INPUT"}]},
        {"LineItems": [{**LINE, "TaxType": "VAT"}]},
        {"LineItems": [{**LINE, "ItemCode": "NONE"}]},
        {"LineItems": [{**LINE, "LineAmount": 99}]},
        {"CurrencyCode": "CHF"},
        {"Url": "ftp://x"},
        {"LineAmountTypes": "Net"},
        {"Type": "ACCRECCREDIT"},
    ],
)
async def test_what_the_organisation_does_not_have_is_refused(caller: SandboxCaller, wrong: dict[str, Any]) -> None:
    assert await refused(caller, "PUT", "/Invoices", {"Invoices": [{**DRAFT, **wrong}]})


async def test_the_setup_tells_what_can_be_used(caller: SandboxCaller) -> None:
    accounts = (await send(caller, "GET", '/Accounts?where=EnablePaymentsToAccount==true AND Status=="ACTIVE"')).json()["Accounts"]
    assert [item["Code"] for item in accounts] == ["090", "091", "606"]
    rates = {item["TaxType"]: item["EffectiveRate"] for item in (await send(caller, "GET", "/TaxRates")).json()["TaxRates"]}
    assert (rates["OUTPUT"], rates["EXEMPTOUTPUT"]) == (10, 0)
    assert "NZD" in [item["Code"] for item in (await send(caller, "GET", "/Currencies")).json()["Currencies"]]
    (item,) = (await send(caller, "GET", '/Items?where=Code=="SEO"')).json()["Items"]
    assert item["SalesDetails"]["UnitPrice"] == 450
    headers = await caller.xero_headers(SECOND)
    organisation = (await caller.http.get(f"{XERO}/Organisation", headers=headers)).json()["Organisations"][0]
    assert (organisation["BaseCurrency"], organisation["Timezone"]) == ("NZD", "NEWZEALANDSTANDARDTIME")


@pytest.mark.parametrize(
    ("where", "is_found"),
    [
        ('Name=="rock AND roll OR pop"', True),
        ('EmailAddress==null AND ContactStatus=="ACTIVE"', True),
        ('EmailAddress!=null AND EmailAddress=="ADA.lovelace@example.test"', False),
        ('Name=="Nobody" OR UpdatedDateUTC>=DateTime(2026,11,22,10,0,0)', True),
        ("UpdatedDateUTC<DateTime(1999,1,1) || UpdatedDateUTC>DateTime(2026, 11, 22, 10, 0, 0)", False),
    ],
)
async def test_where_compares_texts_nothing_and_moments(caller: SandboxCaller, where: str, *, is_found: bool) -> None:
    await written(caller, "Contacts", {"Name": "Rock AND Roll OR Pop"})
    answer = await caller.http.get(f"{XERO}/Contacts", params={"where": where}, headers=await caller.xero_headers())
    names = [item["Name"] for item in answer.json()["Contacts"]]
    assert ("Rock AND Roll OR Pop" in names) is is_found


async def test_an_idempotency_window_can_run_out_between_two_tries(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"xero": {"idempotency_seconds": 1}})
    headers = {**await caller.xero_headers(), "Idempotency-Key": "job-1"}
    body = {"Invoices": [{**DRAFT, "Reference": "HS-1"}]}
    for seconds in (0, 2):
        caller.clock.advance(seconds)
        await caller.http.put(f"{XERO}/Invoices", json=body, headers=headers)
    found = await caller.admin("GET", "/objects?doubled=true")
    assert [(item["object_type"], item["key"], item["count"]) for item in found["objects"]] == [("invoice", "HS-1", 2)]
