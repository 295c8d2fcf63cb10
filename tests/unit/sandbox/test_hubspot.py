from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.support.sandbox import HUBSPOT, SandboxCaller
from zixly_sandbox.constants import ADA_EMAIL, ADA_IN_HUBSPOT, DEAL, GRACE_IN_HUBSPOT


async def post(caller: SandboxCaller, path: str, body: Any) -> httpx2.Response:
    return await caller.http.post(f"{HUBSPOT}/{path}", json=body, headers=await caller.hubspot_headers())


def update_of(key: str, trace: str | None = None, **properties: str) -> dict[str, Any]:
    return {"id": key, "properties": properties, **({"objectWriteTraceId": trace} if trace else {})}


async def test_contacts_are_read_by_e_mail_in_any_case_and_missing_ones_are_named(caller: SandboxCaller) -> None:
    body = {"idProperty": "email", "inputs": [{"id": ADA_EMAIL.upper()}, {"id": "no@body.example.test"}], "properties": ["email"]}
    answer = await post(caller, "contacts/batch/read", body)
    document = answer.json()
    assert (answer.status_code, document["numErrors"]) == (207, 1)
    assert [item["id"] for item in document["results"]] == [ADA_IN_HUBSPOT]
    assert document["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert document["errors"][0]["context"]["ids"] == ["no@body.example.test"]


async def test_an_additional_e_mail_finds_the_contact_too(caller: SandboxCaller) -> None:
    await post(caller, "contacts/batch/update", {"inputs": [update_of(ADA_IN_HUBSPOT, hs_additional_emails="ada@two.example.test")]})
    answer = await post(caller, "contacts/batch/read", {"idProperty": "email", "inputs": [{"id": "ada@two.example.test"}]})
    assert [item["id"] for item in answer.json()["results"]] == [ADA_IN_HUBSPOT]


async def test_a_batch_update_writes_the_good_and_names_the_unknown(caller: SandboxCaller) -> None:
    inputs = [
        update_of(ADA_IN_HUBSPOT, "job-1", xero_last_invoice_status="PAID", xero_last_paid_at="2026-11-22"),
        update_of("999999", "job-2", xero_last_invoice_status="PAID"),
    ]
    answer = await post(caller, "contacts/batch/update", {"inputs": inputs})
    document = answer.json()
    assert answer.status_code == 207
    assert document["results"][0]["objectWriteTraceId"] == "job-1"
    assert document["results"][0]["properties"]["xero_last_invoice_status"] == "PAID"
    assert document["errors"][0]["context"] == {"ids": ["999999"], "objectWriteTraceId": ["job-2"]}
    writes = (await caller.admin("GET", "/writes?system=hubspot"))["writes"]
    assert [(write["object_id"], write["trace_id"]) for write in writes] == [(ADA_IN_HUBSPOT, "job-1")]


async def test_an_unknown_property_refuses_the_whole_batch(caller: SandboxCaller) -> None:
    inputs = [update_of(ADA_IN_HUBSPOT, xero_last_invoice_status="PAID"), update_of(GRACE_IN_HUBSPOT, nonsense="1")]
    answer = await post(caller, "contacts/batch/update", {"inputs": inputs})
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert answer.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert answer.json()["errors"][0]["context"] == {"propertyName": ["nonsense"]}
    assert len(caller.sandbox.writes) == 0


async def test_a_value_that_is_no_date_is_refused(caller: SandboxCaller) -> None:
    answer = await post(caller, "contacts/batch/update", {"inputs": [update_of(ADA_IN_HUBSPOT, xero_last_paid_at="yesterday")]})
    assert answer.json()["errors"][0]["code"] == "INVALID_DATE"


async def test_more_than_a_hundred_inputs_are_refused(caller: SandboxCaller) -> None:
    inputs = [{"id": str(number)} for number in range(101)]
    assert (await post(caller, "contacts/batch/read", {"inputs": inputs})).status_code == 400
    assert (await post(caller, "contacts/batch/read", {"inputs": inputs[:100]})).status_code == 207


async def test_the_same_id_twice_is_refused(caller: SandboxCaller) -> None:
    inputs = [update_of(ADA_IN_HUBSPOT, firstname="A"), update_of(ADA_IN_HUBSPOT, firstname="B")]
    assert (await post(caller, "contacts/batch/update", {"inputs": inputs})).status_code == 400


async def test_an_e_mail_address_belongs_to_one_contact(caller: SandboxCaller) -> None:
    taken = await post(caller, "contacts", {"properties": {"email": ADA_EMAIL}})
    assert (taken.status_code, taken.json()["category"]) == (409, "CONFLICT")
    changed = await post(caller, "contacts/batch/update", {"inputs": [update_of(GRACE_IN_HUBSPOT, email=ADA_EMAIL)]})
    assert changed.status_code == 409


async def test_upsert_creates_once_and_then_updates(caller: SandboxCaller) -> None:
    entry = {"id": "new@body.example.test", "idProperty": "email", "properties": {"firstname": "New"}}
    first, again = [(await post(caller, "contacts/batch/upsert", {"inputs": [entry]})).json()["results"][0] for _ in range(2)]
    assert (first["new"], again["new"], first["id"] == again["id"]) == (True, False, True)


async def test_batch_create_with_trace_ids_names_the_bad_ones(caller: SandboxCaller) -> None:
    inputs = [
        {"objectWriteTraceId": "a", "properties": {"email": "one@body.example.test"}},
        {"objectWriteTraceId": "b", "properties": {"email": ADA_EMAIL}},
    ]
    answer = await post(caller, "contacts/batch/create", {"inputs": inputs})
    assert (answer.status_code, len(answer.json()["results"])) == (207, 1)
    assert answer.json()["errors"][0]["context"]["objectWriteTraceId"] == ["b"]


async def test_search_sees_a_write_only_after_a_while(caller: SandboxCaller) -> None:
    await post(caller, "contacts", {"properties": {"email": "late@body.example.test"}})
    filters = [{"propertyName": "email", "operator": "EQ", "value": "late@body.example.test"}]
    body = {"filterGroups": [{"filters": filters}], "properties": ["email"]}
    assert (await post(caller, "contacts/search", body)).json()["total"] == 0
    caller.clock.advance(3)
    assert (await post(caller, "contacts/search", body)).json()["total"] == 1


async def test_search_pages_through_what_changed_between_two_moments(caller: SandboxCaller) -> None:
    span = {"propertyName": "lastmodifieddate", "operator": "BETWEEN", "value": "2026-11-15", "highValue": "2026-11-16"}
    body = {"filterGroups": [{"filters": [span]}], "limit": 30}
    first = (await post(caller, "contacts/search", body)).json()
    rest = (await post(caller, "contacts/search", {**body, "after": first["paging"]["next"]["after"]})).json()
    keys = {item["id"] for item in (*first["results"], *rest["results"])}
    assert first["total"] == len(keys) == len(first["results"]) + len(rest["results"])


@pytest.mark.parametrize(
    "body", [{"filterGroups": 3}, {"filterGroups": [{"filters": ["x"]}]}, {"properties": "email"}, {"limit": 201}, {"limit": "ten"}]
)
async def test_a_search_that_makes_no_sense_is_refused(caller: SandboxCaller, body: Any) -> None:
    assert (await post(caller, "contacts/search", body)).status_code == 400


async def test_a_note_needs_its_time_and_is_joined_to_its_contact(caller: SandboxCaller) -> None:
    association = {"to": {"id": ADA_IN_HUBSPOT}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}
    bare = await post(caller, "notes", {"properties": {"hs_note_body": "Hello"}, "associations": [association]})
    assert bare.status_code == 400
    values = {"hs_note_body": "Hello", "hs_timestamp": "2026-11-22T10:00:00Z"}
    made = (await post(caller, "notes", {"properties": values, "associations": [association]})).json()
    record = await caller.admin("GET", f"/hubspot/62515/notes/{made['id']}")
    assert record["associations"] == {"contacts": [ADA_IN_HUBSPOT]}


async def test_a_deal_comes_with_its_contacts_and_lines(caller: SandboxCaller) -> None:
    query = "properties=dealname&associations=contacts&associations=line_items"
    deal = (await caller.http.get(f"{HUBSPOT}/deals/{DEAL}?{query}", headers=await caller.hubspot_headers())).json()
    assert deal["associations"]["contacts"]["results"] == [{"id": ADA_IN_HUBSPOT, "type": "deal_to_contact"}]
    assert len(deal["associations"]["line items"]["results"]) == 1


async def test_an_archived_contact_is_gone(caller: SandboxCaller) -> None:
    headers = await caller.hubspot_headers()
    assert (await caller.http.delete(f"{HUBSPOT}/contacts/{ADA_IN_HUBSPOT}", headers=headers)).status_code == 204
    assert (await caller.http.get(f"{HUBSPOT}/contacts/{ADA_IN_HUBSPOT}", headers=headers)).status_code == 404


async def test_a_property_can_be_added_and_then_written(caller: SandboxCaller) -> None:
    headers = await caller.hubspot_headers()
    body = {"name": "shop_orders", "label": "Orders", "type": "number", "fieldType": "number", "groupName": "contactinformation"}
    assert (await caller.http.post("/hubspot/crm/v3/properties/contacts", json=body, headers=headers)).status_code == 201
    answer = await post(caller, "contacts/batch/update", {"inputs": [update_of(ADA_IN_HUBSPOT, shop_orders="3")]})
    assert answer.json()["results"][0]["properties"]["shop_orders"] == "3"
