"""Deals, companies, what records are joined with, pipelines, owners, properties of one's own."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.support.sandbox import HUBSPOT, SandboxCaller
from zixly_sandbox.constants import ADA_IN_HUBSPOT, ADAS_COMPANY, DEAL, GRACE_IN_HUBSPOT

JOINED = "/hubspot/crm/associations/2026-09"


async def call(caller: SandboxCaller, method: str, path: str, body: Any = None) -> httpx2.Response:
    return await caller.http.request(method, path, json=body, headers=await caller.hubspot_headers())


async def made(caller: SandboxCaller, object_type: str, properties: dict[str, str], **more: Any) -> str:
    answer = await call(caller, "POST", f"{HUBSPOT}/{object_type}", {"properties": properties, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def joined(caller: SandboxCaller, pair: str, *keys: str) -> httpx2.Response:
    return await call(caller, "POST", f"{JOINED}/{pair}/batch/read", {"inputs": [{"id": key} for key in keys]})


async def deal_properties(caller: SandboxCaller, key: str = DEAL) -> dict[str, str]:
    found: dict[str, str] = (await caller.admin("GET", f"/hubspot/62515/deals/{key}"))["properties"]
    return found


async def test_a_deal_is_joined_with_company_contact_and_line_and_the_company_is_the_primary_one(caller: SandboxCaller) -> None:
    for target, keys in (("contacts", [ADA_IN_HUBSPOT]), ("companies", [ADAS_COMPANY])):
        (result,) = (await joined(caller, f"deals/{target}", DEAL)).json()["results"]
        assert [item["toObjectId"] for item in result["to"]] == keys
    labels = [kind.get("label") for kind in result["to"][0]["associationTypes"]]
    assert labels == [None, "Primary"]
    (lines,) = (await joined(caller, "deals/line_items", DEAL)).json()["results"]
    line = await caller.admin("GET", f"/hubspot/62515/line_items/{lines['to'][0]['toObjectId']}")
    assert (line["properties"]["price"], line["properties"]["amount"]) == ("1250.00", "1250.00")


async def test_a_primary_company_is_listed_twice_in_a_single_read(caller: SandboxCaller) -> None:
    deal = (await call(caller, "GET", f"{HUBSPOT}/deals/{DEAL}?associations=companies")).json()
    assert deal["associations"]["companies"]["results"] == [
        {"id": ADAS_COMPANY, "type": "deal_to_company_unlabeled"},
        {"id": ADAS_COMPANY, "type": "deal_to_company"},
    ]


async def test_a_record_that_is_joined_with_nothing_is_named_as_an_error(caller: SandboxCaller) -> None:
    answer = await joined(caller, "contacts/deals", ADA_IN_HUBSPOT, GRACE_IN_HUBSPOT)
    assert (answer.status_code, len(answer.json()["results"]), answer.json()["numErrors"]) == (207, 1, 1)
    assert answer.json()["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"
    assert answer.json()["errors"][0]["context"]["fromObjectId"] == [GRACE_IN_HUBSPOT]


async def test_associations_come_in_pages_the_oldest_first(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"hubspot": {"association_page": 2}})
    associations = [{"to": {"id": GRACE_IN_HUBSPOT}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}]
    notes = [
        await made(caller, "notes", {"hs_timestamp": "2026-11-22T10:00:00Z", "hs_note_body": str(number)}, associations=associations)
        for number in range(3)
    ]
    (first,) = (await joined(caller, "contacts/notes", GRACE_IN_HUBSPOT)).json()["results"]
    again = {"inputs": [{"id": GRACE_IN_HUBSPOT, "after": first["paging"]["next"]["after"]}]}
    (rest,) = (await call(caller, "POST", f"{JOINED}/contacts/notes/batch/read", again)).json()["results"]
    assert [item["toObjectId"] for item in (*first["to"], *rest["to"])] == notes
    assert "paging" not in rest


async def test_a_new_note_is_in_the_list_at_once_and_in_search_later(caller: SandboxCaller) -> None:
    associations = [{"to": {"id": DEAL}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 214}]}]
    key = await made(caller, "notes", {"hs_timestamp": "2026-11-22T10:00:00Z"}, associations=associations)
    assert (await joined(caller, "deals/notes", DEAL)).json()["results"][0]["to"][0]["toObjectId"] == key
    assert (await call(caller, "POST", f"{HUBSPOT}/notes/search", {})).json()["total"] == 0
    caller.clock.advance(3)
    assert (await call(caller, "POST", f"{HUBSPOT}/notes/search", {})).json()["total"] == 1


async def test_records_are_joined_and_parted_seen_from_both_sides(caller: SandboxCaller) -> None:
    ends = {"inputs": [{"from": {"id": DEAL}, "to": {"id": GRACE_IN_HUBSPOT}}]}
    answer = await call(caller, "POST", f"{JOINED}/deals/contacts/batch/associate/default", ends)
    assert [item["associationSpec"]["associationTypeId"] for item in answer.json()["results"]] == [3, 4]
    assert (await joined(caller, "contacts/deals", GRACE_IN_HUBSPOT)).json()["results"][0]["to"][0]["toObjectId"] == DEAL
    parted = {"inputs": [{"from": {"id": DEAL}, "to": [{"id": GRACE_IN_HUBSPOT}]}]}
    assert (await call(caller, "POST", f"{JOINED}/deals/contacts/batch/archive", parted)).status_code == 204
    assert (await joined(caller, "contacts/deals", GRACE_IN_HUBSPOT)).json()["results"] == []


async def test_a_label_of_the_portals_own_stands_beside_the_plain_kind_and_goes_alone(caller: SandboxCaller) -> None:
    label = (await call(caller, "POST", "/hubspot/crm/v4/associations/deals/contacts/labels", {"label": "Payer"})).json()["results"][0]
    kinds = [{"associationCategory": label["category"], "associationTypeId": label["typeId"]}]
    ends = {"from": {"id": DEAL}, "to": {"id": ADA_IN_HUBSPOT}, "types": kinds}
    answer = await call(caller, "POST", f"{JOINED}/deals/contacts/batch/create", {"inputs": [ends]})
    assert (answer.status_code, answer.json()["results"][0]["labels"]) == (201, ["Payer"])
    assert (await call(caller, "POST", f"{JOINED}/deals/contacts/batch/labels/archive", {"inputs": [ends]})).status_code == 204
    (result,) = (await joined(caller, "deals/contacts", DEAL)).json()["results"]
    assert [kind["typeId"] for kind in result["to"][0]["associationTypes"]] == [3]


@pytest.mark.parametrize("number", [202, 999_999])
async def test_a_kind_of_other_types_is_refused(caller: SandboxCaller, number: int) -> None:
    ends = {"from": {"id": DEAL}, "to": {"id": ADA_IN_HUBSPOT}, "types": [{"associationTypeId": number}]}
    assert (await call(caller, "POST", f"{JOINED}/deals/contacts/batch/create", {"inputs": [ends]})).status_code == 400


async def test_an_archived_record_is_joined_with_nothing(caller: SandboxCaller) -> None:
    await call(caller, "DELETE", f"{HUBSPOT}/contacts/{ADA_IN_HUBSPOT}")
    assert (await joined(caller, "deals/contacts", DEAL)).json()["results"] == []


async def test_only_the_pipelines_tell_which_stage_is_won(caller: SandboxCaller) -> None:
    for path in ("/hubspot/crm/v3/pipelines/deals", "/hubspot/crm/pipelines/2026-09/deals"):
        pipelines = (await call(caller, "GET", path)).json()["results"]
        won = {item["id"]: [stage["id"] for stage in item["stages"] if stage["metadata"]["probability"] == "1.0"] for item in pipelines}
        assert won == {"default": ["closedwon"], "7100001": ["7100013"]}


@pytest.mark.parametrize(
    ("stage", "is_won", "is_closed"), [("7100013", "true", "true"), ("7100014", "false", "true"), ("7100011", "false", "false")]
)
async def test_the_stage_decides_what_is_closed_and_won(caller: SandboxCaller, stage: str, is_won: str, is_closed: str) -> None:
    key = await made(caller, "deals", {"dealname": "New", "pipeline": "7100001", "dealstage": stage})
    found = await deal_properties(caller, key)
    assert (found["hs_is_closed_won"], found["hs_is_closed"], bool(found.get("closedate"))) == (is_won, is_closed, is_closed == "true")


@pytest.mark.parametrize("values", [{"dealstage": "7100013"}, {"dealstage": "won"}, {"pipeline": "other", "dealstage": "closedwon"}])
async def test_a_stage_that_the_pipeline_does_not_have_is_refused(caller: SandboxCaller, values: dict[str, str]) -> None:
    answer = await call(caller, "POST", f"{HUBSPOT}/deals/batch/update", {"inputs": [{"id": DEAL, "properties": values}]})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "INVALID_OPTION")


@pytest.mark.parametrize(
    ("discount", "amount"), [({}, "30.00"), ({"discount": "1.005"}, "26.99"), ({"hs_discount_percentage": "10"}, "27.00")]
)
async def test_the_amount_of_a_line_follows_from_price_quantity_and_discount(
    caller: SandboxCaller, discount: dict[str, str], amount: str
) -> None:
    key = await made(caller, "line_items", {"name": "Work", "quantity": "3", "price": "10", **discount})
    assert (await caller.admin("GET", f"/hubspot/62515/line_items/{key}"))["properties"]["amount"] == amount


async def test_calculated_values_cannot_be_written(caller: SandboxCaller) -> None:
    answer = await call(caller, "PATCH", f"{HUBSPOT}/deals/{DEAL}", {"properties": {"hs_is_closed_won": "true"}})
    assert answer.json()["errors"][0]["code"] == "READ_ONLY_VALUE"


async def test_a_property_of_ones_own_goes_into_a_group_that_there_is(caller: SandboxCaller) -> None:
    path, wanted = "/hubspot/crm/v3/properties/notes", {"name": "zixly_effect", "label": "Effect", "type": "string", "fieldType": "text"}
    refused = await call(caller, "POST", path, {**wanted, "groupName": "contactinformation"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "PROPERTY_GROUP_NOT_FOUND")
    groups = [item["name"] for item in (await call(caller, "GET", f"{path}/groups")).json()["results"]]
    statuses = [(await call(caller, "POST", path, {**wanted, "groupName": groups[0]})).status_code for _ in range(2)]
    assert statuses == [201, 409]


async def test_a_unique_property_finds_its_record_and_belongs_to_one(caller: SandboxCaller) -> None:
    wanted = {
        "name": "source_key",
        "label": "Key",
        "type": "string",
        "fieldType": "text",
        "groupName": "dealinformation",
        "hasUniqueValue": True,
    }
    await call(caller, "POST", "/hubspot/crm/properties/2026-09/deals", wanted)
    entry = {"id": "order-1", "idProperty": "source_key", "properties": {"dealname": "From the shop"}}
    first, again = [
        (await call(caller, "POST", f"{HUBSPOT}/deals/batch/upsert", {"inputs": [entry]})).json()["results"][0] for _ in range(2)
    ]
    assert (first["new"], again["new"], first["id"] == again["id"]) == (True, False, True)
    taken = await call(caller, "PATCH", f"{HUBSPOT}/deals/{DEAL}", {"properties": {"source_key": "order-1"}})
    assert (taken.status_code, taken.json()["errors"][0]["code"]) == (400, "CONFLICTING_UNIQUE_VALUE")


async def test_owners_are_found_by_id_user_and_e_mail(caller: SandboxCaller) -> None:
    (owner,) = (await call(caller, "GET", "/hubspot/crm/v3/owners/?email=Mia.Harper@zixly.example.test")).json()["results"]
    assert (await call(caller, "GET", f"/hubspot/crm/v3/owners/{owner['id']}")).json() == owner
    assert (await call(caller, "GET", f"/hubspot/crm/v3/owners/{owner['userId']}?idProperty=userId")).json() == owner
    assert (await call(caller, "GET", "/hubspot/crm/v3/owners/1")).status_code == 404


async def test_search_ends_at_ten_thousand_results(caller: SandboxCaller) -> None:
    assert (await call(caller, "POST", f"{HUBSPOT}/deals/search", {"limit": 100, "after": 9_900})).status_code == 200
    assert (await call(caller, "POST", f"{HUBSPOT}/deals/search", {"limit": 100, "after": 9_901})).status_code == 400


@pytest.mark.parametrize(("values", "total"), [(["onboarding"], 1), (["Onboarding"], 0)])
async def test_in_wants_lower_case(caller: SandboxCaller, values: list[str], total: int) -> None:
    filters = [{"propertyName": "dealname", "operator": "IN", "values": values}]
    assert (await call(caller, "POST", f"{HUBSPOT}/deals/search", {"filterGroups": [{"filters": filters}]})).json()["total"] == total


async def test_a_person_moves_a_deal_to_another_pipeline(caller: SandboxCaller) -> None:
    moved = await caller.admin("POST", f"/hubspot/62515/deals/{DEAL}/stage", {"stage": "7100011"})
    assert (moved["properties"]["pipeline"], moved["properties"]["hs_is_closed"]) == ("7100001", "false")
    won = await caller.admin("POST", f"/hubspot/62515/deals/{DEAL}/stage", {})
    assert (won["properties"]["dealstage"], won["properties"]["hs_is_closed_won"]) == ("7100013", "true")


async def test_seeded_deals_differ_in_pipeline_currency_and_company(caller: SandboxCaller) -> None:
    records = caller.sandbox.hubspot.accounts["62515"].portal.tables["deals"].records.values()
    assert {record.properties["pipeline"] for record in records} == {"default", "7100001"}
    assert {"AUD", "NZD", "USD"} <= {record.properties["deal_currency_code"] for record in records}
    assert {bool(record.associations.get("companies")) for record in records} == {True, False}
    assert all(record.associations["line_items"] for record in records)
