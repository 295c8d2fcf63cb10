"""HubSpot's client beyond contacts' updates: upserts, deals and what belongs to them, notes, our property, lists of changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx2
import orjson
import pytest

from tests.unit.clients.test_hubspot_client import HubSpot, batch, contact_json, problem
from tests.unit.clients.vendor import answered
from zixly_core.errors import Permanent, RecordGone, Transient
from zixly_core.systems.hubspot.calls import api_path
from zixly_core.systems.hubspot.contacts import ContactUpsert
from zixly_core.systems.hubspot.line_items import line_item_from
from zixly_core.systems.hubspot.notes import NewNote
from zixly_core.systems.hubspot.objects import CrmRecord

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def record_json(number: int | str, **properties: str | None) -> dict[str, Any]:
    times = {"createdAt": "2026-01-02T03:04:05.678Z", "updatedAt": "2026-11-22T10:00:00.123Z"}
    return {"id": str(number), "properties": properties, **times}


def association(from_id: str, *to: str | tuple[int, str], after: str | None = None) -> dict[str, Any]:
    targets = [(one, None) if isinstance(one, str) else one for one in to]
    found: dict[str, Any] = {
        "from": {"id": from_id},
        "to": [
            {"toObjectId": target, "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 5, "label": label}]}
            for target, label in targets
        ],
    }
    return found if after is None else {**found, "paging": {"next": {"after": after}}}


def note(key: str, **overrides: Any) -> NewNote:
    return NewNote(**{"effect_key": key, "body_html": "<p>Done</p>", "at": AT, "to": (("deal", "17"),), **overrides})


def test_contacts_are_upserted_by_address_and_say_whether_they_are_new() -> None:
    first = {**contact_json(1, email="ADA@example.test", trace="job-1"), "new": True}
    second = {**contact_json(2, email="grace@example.test"), "new": False}
    hubspot = HubSpot([batch(second, first, errors=[problem("VALIDATION_ERROR", objectWriteTraceId=["job-3"])])])
    upserts = [
        ContactUpsert(" Ada@example.test", {"firstname": "Ada"}, "job-1"),
        ContactUpsert("grace@example.test", {}, "job-2"),
        ContactUpsert("alan@example.test", {}, "job-3"),
    ]
    results = hubspot.client.upsert_contacts(upserts)
    assert [(one.record_id, one.is_new, one.ok) for one in results] == [("1", True, True), ("2", False, True), ("", None, False)]
    assert "alan" not in str(results[2].error)
    assert hubspot.vendor.body()["inputs"][0] == {
        "id": "ada@example.test",
        "idProperty": "email",
        "objectWriteTraceId": "job-1",
        "properties": {"email": "ada@example.test", "firstname": "Ada"},
    }


def test_two_upserts_of_one_address_are_a_mistake_of_the_caller() -> None:
    twice = [ContactUpsert("ada@example.test", {}, "job-1"), ContactUpsert("ADA@example.test", {}, "job-2")]
    with pytest.raises(ValueError, match="At most 100"):
        HubSpot([]).client.upsert_contacts(twice)


def test_a_deal_is_read_with_exact_money_and_aware_moments() -> None:
    deal = record_json(
        17,
        dealname="Onboarding",
        dealstage="closedwon",
        pipeline="default",
        amount="1250.10",
        deal_currency_code="NZD",
        closedate="2026-11-21T23:30:00Z",
        hs_is_closed_won="true",
        hubspot_owner_id="5",
    )
    bare = record_json(18, dealname=None, amount="", closedate="1795305600000")
    hubspot = HubSpot([batch(deal, bare, errors=[problem("OBJECT_NOT_FOUND", ids=["19"])])])
    full, empty = hubspot.client.deals_by_ids(["17", "18", "19", "17"], properties=["closedate"])
    assert (full.amount, full.currency, full.closed_on, full.is_won, full.owner_id) == (
        Decimal("1250.10"),
        "NZD",
        date(2026, 11, 21),
        True,
        "5",
    )
    assert (empty.name, empty.amount, empty.currency, empty.is_won) == ("", None, None, None)
    assert empty.closed_on == date(2026, 11, 22)
    body = hubspot.vendor.body()
    assert [one["id"] for one in body["inputs"]] == ["17", "18", "19"]
    assert body["properties"].count("closedate") == 1


@pytest.mark.parametrize("properties", [{"amount": "much"}, {"amount": "NaN"}, {"closedate": "soon"}, {"closedate": "9" * 30}])
def test_a_deal_whose_values_cannot_be_read_is_a_permanent_error_without_them(properties: dict[str, str]) -> None:
    with pytest.raises(Permanent) as failure:
        HubSpot([batch(record_json(17, **properties))]).client.deals_by_ids(["17"])
    assert failure.value.reason == "unexpected_answer"
    assert next(iter(properties.values())) not in str(failure.value)


def test_line_items_and_companies_are_read_with_their_gaps() -> None:
    line = line_item_from(
        record_json(1, name="Hours", hs_sku="H1", quantity="2.5", price="100.00", discount="10", hs_discount_percentage=None)
    )
    assert (line.quantity, line.unit_price, line.discount, line.discount_percent) == (Decimal("2.5"), Decimal(100), Decimal(10), None)
    bare = line_item_from(record_json(2))
    assert (bare.quantity, bare.unit_price, bare.discount, bare.sku) == (Decimal(1), Decimal(0), Decimal(0), None)
    assert line_item_from(record_json(3, quantity="0")).quantity == 0
    hubspot = HubSpot([batch(record_json(7, name="Łódź Söhne", domain=None)), batch(record_json(1, quantity="1"))])
    assert [(one.id, one.name, one.domain) for one in hubspot.client.companies_by_ids(["7"])] == [("7", "Łódź Söhne", "")]
    assert [one.id for one in hubspot.client.line_items_by_ids(["1"])] == ["1"]


def test_stages_of_every_pipeline_say_whether_they_are_won() -> None:
    def stage(stage_id: str, **metadata: str) -> dict[str, Any]:
        return {"id": stage_id, "label": stage_id.title(), "metadata": metadata}

    pipelines = [
        {
            "id": "default",
            "stages": [stage("closedwon", isClosed="true", probability="1.0"), stage("closedlost", isClosed="true", probability="0.0")],
        },
        {"id": "own", "stages": [stage("985", probability="1"), stage("986", isClosed="false", probability="1.0"), stage("987")]},
    ]
    stages = HubSpot([answered({"results": pipelines})]).client.deal_stages()
    assert {one.id: (one.pipeline_id, one.is_won, one.is_closed) for one in stages.values()} == {
        "closedwon": ("default", True, True),
        "closedlost": ("default", False, True),
        "985": ("own", True, True),
        "986": ("own", False, False),
        "987": ("own", False, False),
    }
    with pytest.raises(Permanent):
        HubSpot([answered({"results": ["x"]})]).client.deal_stages()


def test_associated_records_come_primary_first_then_the_oldest_from_all_pages() -> None:
    first = batch(association("1", "30", "4", after="p2"), association("2", "7", (9, "Primary")))
    hubspot = HubSpot([first, batch(association("1", "100", "4"))])
    found = hubspot.client.associated("deal", "contacts", ["1", "2", "1", "3"])
    assert found == {"1": ["4", "30", "100"], "2": ["9", "7"]}
    assert hubspot.vendor.body(1) == {"inputs": [{"id": "1", "after": "p2"}]}
    assert hubspot.vendor.requests[0].url.path == "/crm/associations/2026-09/deals/contacts/batch/read"


def test_a_record_without_associations_is_missing_and_a_failed_read_is_a_failure() -> None:
    none = problem("OBJECT_NOT_FOUND", fromObjectId=["1"])
    assert HubSpot([batch(errors=[none])]).client.associated("deals", "notes", ["1"]) == {}
    for answer in (batch(errors=[problem("INTERNAL_ERROR")]), answered({})):
        with pytest.raises(Transient):
            HubSpot([answer]).client.associated("deals", "notes", ["1"])
    with pytest.raises(Permanent):
        HubSpot([batch({"from": {"id": "1"}})]).client.associated("deals", "notes", ["1"])


def test_notes_are_created_with_our_key_and_told_apart_by_it() -> None:
    made = record_json(901, zixly_effect="effect-2", hs_timestamp="2026-11-22T10:00:00Z")
    hubspot = HubSpot([batch(made, errors=[problem("OBJECT_NOT_FOUND", objectWriteTraceId=["effect-1"])])])
    results = hubspot.client.create_notes([note("effect-1"), note("effect-2", to=(("contact", "901"), ("company", "7")))])
    assert {key: (one.record_id, type(one.error)) for key, one in results.items()} == {
        "effect-1": ("", RecordGone),
        "effect-2": ("901", type(None)),
    }
    first, second = hubspot.vendor.body()["inputs"]
    assert first == {
        "properties": {"hs_timestamp": "2026-11-22T10:00:00.000Z", "hs_note_body": "<p>Done</p>", "zixly_effect": "effect-1"},
        "associations": [{"to": {"id": "17"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 214}]}],
        "objectWriteTraceId": "effect-1",
    }
    assert [one["types"][0]["associationTypeId"] for one in second["associations"]] == [202, 190]


def test_notes_are_found_by_what_they_are_about_and_never_by_search() -> None:
    notes = batch(record_json(5, zixly_effect="effect-1", hs_timestamp="2026-11-22T10:00:00Z"), record_json(6))
    hubspot = HubSpot([batch(association("17", "5", "6"), association("18")), notes])
    found = hubspot.client.notes_of("deal", ["17", "18"])
    assert {one: [(n.id, n.effect_key) for n in some] for one, some in found.items()} == {"17": [("5", "effect-1"), ("6", None)]}
    assert found["17"][0].at == AT
    assert [request.url.path for request in hubspot.vendor.requests] == [
        "/crm/associations/2026-09/deals/notes/batch/read",
        "/crm/objects/2026-09/notes/batch/read",
    ]


def test_our_property_is_made_once_in_the_group_of_its_neighbours() -> None:
    hubspot = HubSpot([httpx2.Response(404), answered({"groupName": "note"}), answered({}, status=201)])
    hubspot.client.ensure_property("note", "zixly_effect", label="Zixly effect")
    assert [f"{one.method} {one.url.path}" for one in hubspot.vendor.requests] == [
        "GET /crm/properties/2026-09/notes/zixly_effect",
        "GET /crm/properties/2026-09/notes/hs_note_body",
        "POST /crm/properties/2026-09/notes",
    ]
    assert (hubspot.vendor.body()["groupName"], hubspot.vendor.body()["type"]) == ("note", "string")
    there = HubSpot([answered({"name": "zixly_effect"})])
    there.client.ensure_property("notes", "zixly_effect", label="Zixly effect")
    assert len(there.vendor.requests) == 1


def test_a_property_that_somebody_else_made_meanwhile_is_no_error_but_a_missing_scope_is() -> None:
    group = answered({"groupName": "note"})
    HubSpot([httpx2.Response(404), group, httpx2.Response(409)]).client.ensure_property("notes", "zixly_effect", label="x")
    with pytest.raises(Permanent) as failure:
        HubSpot([httpx2.Response(404), group, httpx2.Response(403)]).client.ensure_property("notes", "zixly_effect", label="x")
    assert failure.value.reason == "forbidden"


class Portal:
    """Deals as a search lists them, at most `cap` for one query, some of which change while they are listed."""

    def __init__(self, count: int, *, apart: timedelta, cap: int = 40) -> None:
        self.changed = {number: AT + apart * number for number in range(1, count + 1)}
        self.cap = cap
        self.calls = 0
        self.on_call: dict[int, list[int]] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = orjson.loads(request.content)
        since = datetime.fromtimestamp(int(body["filterGroups"][0]["filters"][0]["value"]) / 1000, UTC)
        found = sorted((at, number) for number, at in self.changed.items() if at >= since)[: self.cap]
        start, size = int(body["after"]), body["limit"]
        page = found[start : start + size]
        self.calls += 1
        for number in self.on_call.get(self.calls, []):
            self.changed[number] = AT + timedelta(days=1, seconds=self.calls)
        results = [{**record_json(number), "updatedAt": at.isoformat()} for at, number in page]
        paging = {"paging": {"next": {"after": str(start + size)}}} if start + size < len(found) else {}
        return answered({"total": len(found), "results": results, **paging})


def changed_deals(portal: Portal) -> list[int]:
    return [int(deal.id) for deal in HubSpot(portal).client.deals_changed_since(AT, page_size=10)]


def test_changed_deals_are_listed_past_the_cap_of_a_search() -> None:
    assert set(changed_deals(Portal(95, apart=timedelta(seconds=7)))) == set(range(1, 96))


def test_deals_that_change_while_they_are_listed_push_no_other_one_out() -> None:
    portal = Portal(40, apart=timedelta(seconds=5), cap=10_000)
    portal.on_call = {1: [1, 2, 3], 2: [10, 11, 12], 3: [13, 14]}
    assert set(changed_deals(portal)) == set(range(1, 41))


def test_an_import_within_one_moment_is_listed_page_by_page() -> None:
    assert sorted(changed_deals(Portal(35, apart=timedelta(), cap=10_000))) == list(range(1, 36))


def test_changed_contacts_are_listed_by_their_own_property() -> None:
    hubspot = HubSpot([answered({"results": [contact_json(1)]})])
    assert [one.id for one in hubspot.client.contacts_changed_since(AT)] == ["1"]
    assert hubspot.vendor.body()["sorts"] == ["lastmodifieddate"]


def test_versions_stand_where_each_api_of_hubspot_wants_them() -> None:
    assert api_path("2026-09", "associations", numbered="v4") == "/crm/associations/2026-09"
    assert api_path("v3", "associations", numbered="v4") == "/crm/v4/associations"
    assert api_path("v3", "pipelines") == "/crm/v3/pipelines"


def test_a_flag_that_is_neither_yes_nor_no_is_not_told() -> None:
    record = CrmRecord("1", {"a": "TRUE", "b": "false", "c": "maybe", "d": None}, AT)
    assert [record.flag(name) for name in "abcde"] == [True, False, None, None, None]
