from __future__ import annotations

from typing import Any

from tests.support.sandbox import HUBSPOT, XERO, SandboxCaller
from zixly_sandbox.constants import ADA_IN_HUBSPOT, ADA_IN_XERO, OPEN_INVOICE

LINE = {"Description": "Work", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}


async def note(caller: SandboxCaller, effect: str) -> None:
    values = {"hs_timestamp": "2026-11-22T10:00:00Z", "hs_note_body": "Done", "zixly_effect": effect}
    answer = await caller.http.post(f"{HUBSPOT}/notes", json={"properties": values}, headers=await caller.hubspot_headers())
    assert answer.status_code == 201, answer.text


async def make_effect_property(caller: SandboxCaller) -> None:
    wanted = {"name": "zixly_effect", "label": "Effect", "type": "string", "fieldType": "text", "groupName": "note"}
    await caller.http.post("/hubspot/crm/v3/properties/notes", json=wanted, headers=await caller.hubspot_headers())


async def objects(caller: SandboxCaller, query: str = "") -> dict[str, Any]:
    found: dict[str, Any] = await caller.admin("GET", f"/objects{query}")
    return found


async def test_what_was_made_twice_under_one_key_stands_out(caller: SandboxCaller) -> None:
    await make_effect_property(caller)
    for effect in ("task:1", "task:2", "task:1"):
        await note(caller, effect)
    (double,) = (await objects(caller, "?object_type=notes&doubled=true"))["objects"]
    assert (double["key"], double["count"], len(set(double["ids"]))) == ("task:1", 2, 2)


async def test_each_kind_is_told_apart_by_what_tells_it_apart_in_life(caller: SandboxCaller) -> None:
    headers = await caller.xero_headers()
    invoice = {"Type": "ACCREC", "Contact": {"ContactID": ADA_IN_XERO}, "LineItems": [LINE], "InvoiceNumber": "SHOP-1001"}
    await caller.http.put(f"{XERO}/Invoices", json={"Invoices": [invoice]}, headers=headers)
    payment = {"Invoice": {"InvoiceID": OPEN_INVOICE}, "Account": {"Code": "090"}, "Amount": 1, "Reference": "#1001"}
    for _ in range(2):
        await caller.http.put(f"{XERO}/Payments", json={"Payments": [payment]}, headers=headers)
    contact = {"inputs": [{"id": "new@body.example.test", "idProperty": "email", "properties": {"firstname": "New"}}]}
    await caller.http.post(f"{HUBSPOT}/contacts/batch/upsert", json=contact, headers=await caller.hubspot_headers())
    found = {(item["system"], item["object_type"]): (item["key"], item["count"]) for item in (await objects(caller))["objects"]}
    assert found == {
        ("xero", "invoice"): ("SHOP-1001", 1),
        ("xero", "payment"): (f"{OPEN_INVOICE} #1001 1.0", 2),
        ("hubspot", "contacts"): ("new@body.example.test", 1),
    }


async def test_updates_and_seeded_records_are_no_creations(caller: SandboxCaller) -> None:
    body = {"properties": {"firstname": "Augusta"}}
    await caller.http.patch(f"{HUBSPOT}/contacts/{ADA_IN_HUBSPOT}", json=body, headers=await caller.hubspot_headers())
    assert await objects(caller) == {"created": 0, "doubled": 0, "objects": []}
