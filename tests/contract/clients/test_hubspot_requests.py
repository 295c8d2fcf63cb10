"""Every further request of HubSpot's client: allowed by its description, equal to what the official client sends."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest

from tests.contract.clients.recorded import recorded, seen
from tests.contract.clients.test_requests import hubspot_faults
from tests.unit.clients.test_hubspot_client import HubSpot
from tests.unit.clients.vendor import answered
from zixly_core.systems.hubspot.contacts import ContactUpsert
from zixly_core.systems.hubspot.notes import NewNote, NoteTarget

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def anything(request: httpx2.Request) -> httpx2.Response:
    """An answer in which nothing is found but what belongs to record 1; our property is not there, its neighbour is."""
    last = request.url.path.rpartition("/")[2]
    if last == "zixly_effect":
        return httpx2.Response(404)
    if "/associations/" in request.url.path:
        return answered({"results": [{"from": {"id": "1"}, "to": [{"toObjectId": "5"}]}]})
    return answered({"results": [], "groupName": "note"})


def test_contacts_are_upserted_as_the_official_client_does() -> None:
    hubspot = HubSpot(anything, version="v3")
    properties = {"firstname": "Ada", "lastname": "Lovelace"}
    hubspot.client.upsert_contacts([ContactUpsert("ada.lovelace@example.test", properties, "shopify-order-5678901234567")])
    (request,) = hubspot.vendor.requests
    assert seen(request) == recorded("hubspot", "batch-upsert-contacts")
    assert hubspot_faults(request) == []


def test_a_note_is_the_one_that_the_official_client_writes_in_a_batch_and_with_our_key() -> None:
    hubspot = HubSpot(anything, version="v3")
    hubspot.client.create_notes([NewNote("effect-1", "Task completed in Asana", AT, (("contact", "901"),))])
    (request,) = hubspot.vendor.requests
    sent, expected = seen(request), recorded("hubspot", "create-note-on-contact")
    assert sent["path"] == f"{expected['path']}/batch/create"
    (one,) = sent["body"]["inputs"]
    assert one.pop("objectWriteTraceId") == one["properties"].pop("zixly_effect") == "effect-1"
    assert datetime.fromisoformat(one["properties"]["hs_timestamp"]) == datetime.fromisoformat(
        expected["body"]["properties"]["hs_timestamp"]
    )
    one["properties"]["hs_timestamp"] = expected["body"]["properties"]["hs_timestamp"]
    assert one == expected["body"]
    assert hubspot_faults(request) == []


def test_a_search_has_the_form_of_the_official_clients() -> None:
    hubspot = HubSpot(anything, version="v3")
    list(hubspot.client.contacts_changed_since(AT, properties=["firstname", "lastname"], page_size=1))
    (request,) = hubspot.vendor.requests
    sent, expected = seen(request), recorded("hubspot", "search-contact-by-email")
    for document in (sent, expected):
        document["body"]["filterGroups"], document["body"]["sorts"] = "compared below", []
    assert sent == expected
    assert hubspot_faults(request) == []


@pytest.mark.parametrize("version", ["2026-09", "v3"])
def test_every_other_call_of_hubspot_is_allowed_by_its_description_in_each_version(version: str) -> None:
    hubspot = HubSpot(anything, version=version)
    client = hubspot.client
    many = [str(number) for number in range(1, 101)]
    client.deals_by_ids(many, properties=["closedate"])
    client.companies_by_ids(many)
    client.line_items_by_ids(many)
    client.deal_stages()
    client.associated("deal", "line_item", many)
    client.notes_of("contact", many)
    client.ensure_property("note", "zixly_effect", label="Zixly effect")
    targets: tuple[tuple[NoteTarget, str], ...] = (("contact", "1"), ("deal", "2"), ("company", "3"))
    client.create_notes([NewNote(f"effect-{number}", "<p>x</p>", AT, targets) for number in many])
    client.upsert_contacts([ContactUpsert(f"person{number}@example.test", {"phone": ""}, f"job-{number}") for number in many])
    list(client.deals_changed_since(AT))
    list(client.contacts_changed_since(AT))
    assert len(hubspot.vendor.requests) == 14
    assert [(request.url.path, hubspot_faults(request)) for request in hubspot.vendor.requests if hubspot_faults(request)] == []
