from __future__ import annotations

from typing import Any

import httpx2

from tests.support.sandbox import XERO, SandboxCaller
from zixly_sandbox.constants import ADA_IN_XERO, DEMO, OPEN_INVOICE, PAID_INVOICE, PART_PAID_INVOICE

GONE = "11111111-1111-4111-8111-111111111111"


def new_invoice(**overrides: Any) -> dict[str, Any]:
    line = {"Description": "Work", "Quantity": 2, "UnitAmount": 12.5, "AccountCode": "200", "TaxType": "OUTPUT2"}
    return {"Type": "ACCREC", "Contact": {"ContactID": ADA_IN_XERO}, "LineItems": [line], "Status": "DRAFT", **overrides}


async def put_invoice(caller: SandboxCaller, invoice: dict[str, Any], **more: Any) -> httpx2.Response:
    headers = {**await caller.xero_headers(), **more.pop("headers", {})}
    return await caller.http.put(f"{XERO}/Invoices", json={"Invoices": [invoice]}, headers=headers, **more)


async def invoices(caller: SandboxCaller, headers: dict[str, str] | None = None, **query: Any) -> list[dict[str, Any]]:
    answer = await caller.http.get(f"{XERO}/Invoices", params=query, headers={**await caller.xero_headers(), **(headers or {})})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["Invoices"]
    return found


async def test_ids_that_are_gone_are_missing_from_a_list_and_404_alone(caller: SandboxCaller) -> None:
    found = await invoices(caller, IDs=f"{PAID_INVOICE.upper()},{GONE},{OPEN_INVOICE}", page=1)
    assert [item["InvoiceID"] for item in found] == [PAID_INVOICE, OPEN_INVOICE]
    single = await caller.http.get(f"{XERO}/Invoices/{GONE}", headers=await caller.xero_headers())
    assert single.status_code == 404


async def test_the_recorded_invoices_are_paid_part_paid_and_open(caller: SandboxCaller) -> None:
    found = {item["InvoiceID"]: item for item in await invoices(caller, IDs=f"{PAID_INVOICE},{PART_PAID_INVOICE},{OPEN_INVOICE}", page=1)}
    assert [found[key]["Status"] for key in (PAID_INVOICE, PART_PAID_INVOICE, OPEN_INVOICE)] == ["PAID", "AUTHORISED", "AUTHORISED"]
    assert found[PAID_INVOICE]["AmountDue"] == 0
    assert 0 < found[PART_PAID_INVOICE]["AmountDue"] < found[PART_PAID_INVOICE]["Total"] == found[OPEN_INVOICE]["AmountDue"]


async def test_pages_of_a_listing_hold_each_invoice_once(caller: SandboxCaller) -> None:
    pages = [await invoices(caller, order="UpdatedDateUTC ASC", page=number, pageSize=20) for number in (1, 2, 3, 4)]
    keys = [item["InvoiceID"] for page in pages for item in page]
    assert len(keys) == len(set(keys)) == len(caller.sandbox.xero.organisations[DEMO.organisation].books.invoices)


async def test_only_what_changed_since_comes(caller: SandboxCaller) -> None:
    caller.clock.advance(100)
    since = caller.clock.now().isoformat()
    await caller.admin("POST", f"/xero/{DEMO.organisation}/pay", {"invoice_ids": [OPEN_INVOICE]})
    found = await invoices(caller, {"If-Modified-Since": since}, Statuses="AUTHORISED,PAID", page=1)
    assert [item["InvoiceID"] for item in found] == [OPEN_INVOICE]


async def test_where_takes_comparisons_and_refuses_what_it_cannot_read(caller: SandboxCaller) -> None:
    found = await invoices(caller, where=f'Status=="PAID" AND Contact.ContactID==guid("{ADA_IN_XERO}")')
    assert [item["InvoiceID"] for item in found] == [PAID_INVOICE]
    refused = await caller.http.get(f"{XERO}/Invoices", params={"where": "Total BETWEEN 5"}, headers=await caller.xero_headers())
    assert (refused.status_code, refused.json()["Type"]) == (400, "QueryParseException")


async def test_a_summary_tells_neither_lines_nor_e_mail(caller: SandboxCaller) -> None:
    summary = (await invoices(caller, IDs=PAID_INVOICE, summaryOnly="true"))[0]
    whole = (await invoices(caller, IDs=PAID_INVOICE))[0]
    assert "LineItems" not in summary
    assert "EmailAddress" not in summary["Contact"]
    assert (len(whole["LineItems"]), whole["Contact"]["EmailAddress"]) == (2, "Ada.Lovelace@example.test")


async def test_an_invoice_comes_as_a_pdf_on_request(caller: SandboxCaller) -> None:
    headers = {**await caller.xero_headers(), "Accept": "application/pdf"}
    answer = await caller.http.get(f"{XERO}/Invoices/{PAID_INVOICE}", headers=headers)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.4")
    table = int(answer.content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert answer.content[table:].startswith(b"xref")


async def test_a_new_invoice_has_its_sums_and_is_written_once(caller: SandboxCaller) -> None:
    made = (await put_invoice(caller, new_invoice())).json()["Invoices"][0]
    assert (made["SubTotal"], made["TotalTax"], made["Total"], made["Status"]) == (25.0, 3.75, 28.75, "DRAFT")
    writes = (await caller.admin("GET", f"/writes?object_id={made['InvoiceID']}"))["writes"]
    assert [(write["operation"], write["account"]) for write in writes] == [("CREATE", DEMO.organisation)]


async def test_one_bad_element_refuses_all_unless_errors_are_told_apart(caller: SandboxCaller) -> None:
    body = {"Invoices": [new_invoice(), new_invoice(LineItems=[])]}
    headers = await caller.xero_headers()
    refused = await caller.http.put(f"{XERO}/Invoices", json=body, headers=headers)
    assert (refused.status_code, refused.json()["Type"], len(refused.json()["Elements"])) == (400, "ValidationException", 1)
    assert len(caller.sandbox.writes) == 0
    mixed = await caller.http.put(f"{XERO}/Invoices?summarizeErrors=false", json=body, headers=headers)
    assert [item["StatusAttributeString"] for item in mixed.json()["Invoices"]] == ["OK", "ERROR"]
    assert len(caller.sandbox.writes) == 1


async def test_a_refused_request_changes_nothing(caller: SandboxCaller) -> None:
    body = {"Invoices": [{"InvoiceID": OPEN_INVOICE, "Reference": "changed"}, new_invoice(LineItems=[])]}
    refused = await caller.http.post(f"{XERO}/Invoices", json=body, headers=await caller.xero_headers())
    assert refused.status_code == 400
    assert (await invoices(caller, IDs=OPEN_INVOICE))[0]["Reference"] == "Website care plan"


async def test_two_elements_of_a_request_cannot_share_a_number(caller: SandboxCaller) -> None:
    body = {"Invoices": [new_invoice(InvoiceNumber="X-1"), new_invoice(InvoiceNumber="X-1")]}
    answer = await caller.http.put(f"{XERO}/Invoices?summarizeErrors=false", json=body, headers=await caller.xero_headers())
    assert [item["StatusAttributeString"] for item in answer.json()["Invoices"]] == ["OK", "ERROR"]


async def test_the_number_of_a_sales_invoice_is_unique(caller: SandboxCaller) -> None:
    await put_invoice(caller, new_invoice(InvoiceNumber="X-1"))
    again = await put_invoice(caller, new_invoice(InvoiceNumber="X-1"))
    assert again.json()["Elements"][0]["ValidationErrors"] == [{"Message": "Invoice # must be unique."}]


async def test_the_same_key_gives_the_same_answer_for_six_minutes(caller: SandboxCaller) -> None:
    key = {"headers": {"Idempotency-Key": "deal:1"}}
    first, again = await put_invoice(caller, new_invoice(), **key), await put_invoice(caller, new_invoice(), **key)
    assert first.json() == again.json()
    assert len(caller.sandbox.writes) == 1
    caller.clock.advance(361)
    later = await put_invoice(caller, new_invoice(), **key)
    assert later.json()["Invoices"][0]["InvoiceID"] != first.json()["Invoices"][0]["InvoiceID"]


async def test_a_key_with_another_request_is_refused(caller: SandboxCaller) -> None:
    headers = {"Idempotency-Key": "deal:1"}
    await put_invoice(caller, new_invoice(), headers=headers)
    other = await put_invoice(caller, new_invoice(Reference="other"), headers=headers)
    assert other.status_code == 400
    assert len(caller.sandbox.writes) == 1


async def test_the_last_payment_turns_an_invoice_paid(caller: SandboxCaller) -> None:
    headers = await caller.xero_headers()
    due = (await invoices(caller, IDs=OPEN_INVOICE))[0]["AmountDue"]

    async def pay(amount: float) -> httpx2.Response:
        payment = {"Invoice": {"InvoiceID": OPEN_INVOICE}, "Account": {"Code": "090"}, "Date": "2026-11-22", "Amount": amount}
        return await caller.http.put(f"{XERO}/Payments", json={"Payments": [payment]}, headers=headers)

    assert (await pay(due + 0.01)).status_code == 400
    assert (await pay(0.4)).json()["Payments"][0]["Invoice"]["Status"] == "AUTHORISED"
    assert (await pay(round(due - 0.4, 2))).json()["Payments"][0]["Invoice"]["Status"] == "PAID"
    paid = (await invoices(caller, IDs=OPEN_INVOICE))[0]
    assert (paid["AmountDue"], paid["FullyPaidOnDate"]) == (0, "/Date(1795305600000+0000)/")
    assert (await pay(1)).status_code == 400


async def test_a_paid_invoice_cannot_be_changed(caller: SandboxCaller) -> None:
    body = {"InvoiceID": PAID_INVOICE, "Reference": "new"}
    answer = await caller.http.post(f"{XERO}/Invoices/{PAID_INVOICE}", json=body, headers=await caller.xero_headers())
    assert answer.json()["Elements"][0]["ValidationErrors"][0]["Message"] == "Invoice not of valid status for modification"


async def test_contacts_are_updated_by_id_and_their_names_are_unique(caller: SandboxCaller) -> None:
    headers = await caller.xero_headers()
    body = {"Contacts": [{"ContactID": ADA_IN_XERO, "EmailAddress": "ada@new.example.test"}]}
    changed = await caller.http.post(f"{XERO}/Contacts", json=body, headers=headers)
    assert changed.json()["Contacts"][0]["EmailAddress"] == "ada@new.example.test"
    taken = await caller.http.put(f"{XERO}/Contacts", json={"Contacts": [{"Name": "ANALYTICAL ENGINES PTY LTD"}]}, headers=headers)
    assert taken.status_code == 400


async def test_most_sales_customers_are_known_to_hubspot_and_a_few_are_not(caller: SandboxCaller) -> None:
    await caller.admin("POST", "/seed", {"organisation": DEMO.organisation, "customers": 500})
    books = caller.sandbox.xero.organisations[DEMO.organisation].books
    contacts = caller.sandbox.hubspot.accounts[DEMO.portal].portal.contacts
    known = [contacts.find(item.email, id_property="email") is not None for item in books.contacts.values()]
    assert 0.85 < sum(known) / len(known) < 1


async def test_a_seed_of_known_customers_has_no_other(caller: SandboxCaller) -> None:
    books = caller.sandbox.xero.organisations[DEMO.organisation].books
    before = set(books.contacts)
    await caller.admin("POST", "/seed", {"organisation": DEMO.organisation, "customers": 500, "only_known": True})
    contacts = caller.sandbox.hubspot.accounts[DEMO.portal].portal.contacts
    made = [item for key, item in books.contacts.items() if key not in before]
    assert len(made) == 500
    assert [item.name for item in made if contacts.find(item.email, id_property="email") is None] == []


async def test_the_same_seed_gives_the_same_records(caller: SandboxCaller) -> None:
    other = SandboxCaller()
    keys = [list(one.sandbox.xero.organisations[DEMO.organisation].books.invoices) for one in (caller, other)]
    assert keys[0] == keys[1]
    await caller.admin("POST", "/reset", {"seed": 2})
    assert list(caller.sandbox.xero.organisations[DEMO.organisation].books.invoices) != keys[0]
