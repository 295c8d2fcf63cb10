"""HubSpot's client: batches by e-mail, writes whose inputs fail one by one."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.unit.clients.vendor import Answers, FixedTokens, Vendor, answered
from zixly_core.errors import BudgetSpent, Permanent, RecordGone, Transient
from zixly_core.systems.hubspot.client import HubSpotClient, objects_path
from zixly_core.systems.hubspot.contacts import ContactUpdate


class HubSpot:
    """A client with the vendor behind it."""

    def __init__(self, answers: Answers, *, version: str = "2026-09") -> None:
        self.vendor = Vendor(answers)
        self.client = HubSpotClient(
            self.vendor.http,
            base_url="https://api.hubapi.test",
            version=version,
            tokens=FixedTokens(),
            external_id="62515",
        )


def contact_json(number: int, *, email: str = "", trace: str | None = None, **properties: str | None) -> dict[str, Any]:
    item = {
        "id": str(number),
        "properties": {"email": email or f"person{number}@example.test", **properties},
        "createdAt": "2026-01-02T03:04:05.678Z",
        "updatedAt": "2026-11-22T10:00:00.123Z",
        "archived": False,
    }
    return item if trace is None else {**item, "objectWriteTraceId": trace}


def batch(*results: dict[str, Any], errors: list[dict[str, Any]] | None = None) -> httpx2.Response:
    body: dict[str, Any] = {"status": "COMPLETE", "results": list(results), "startedAt": "x", "completedAt": "y"}
    return answered(body) if errors is None else answered({**body, "numErrors": len(errors), "errors": errors}, status=207)


def problem(category: str, **context: list[str]) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": "about ada@example.test", "context": context}


def updates(*numbers: int) -> list[ContactUpdate]:
    return [ContactUpdate(str(n), {"xero_last_invoice_status": "PAID"}, trace_id=f"job-{n}") for n in numbers]


def test_contacts_are_found_by_address_whatever_its_case_and_missing_ones_are_missing() -> None:
    missing = problem("OBJECT_NOT_FOUND", ids=["grace@example.test"])
    hubspot = HubSpot([batch(contact_json(901, email="Ada@Example.test"), errors=[missing])])
    found = hubspot.client.contacts_by_email(["ADA@example.test ", "grace@example.test"], properties=["xero_last_paid_at"])
    assert {email: contact.id for email, contact in found.items()} == {"ada@example.test": "901"}
    body = hubspot.vendor.body()
    assert body["inputs"] == [{"id": "ada@example.test"}, {"id": "grace@example.test"}]
    assert body["properties"] == ["email", "xero_last_paid_at"]


def test_two_hundred_and_fifty_addresses_are_three_calls() -> None:
    def all_of_them(request: httpx2.Request) -> httpx2.Response:
        asked = httpx2.Response(200, content=request.content).json()["inputs"]
        return batch(*(contact_json(n, email=one["id"]) for n, one in enumerate(asked)))

    hubspot = HubSpot(all_of_them)
    emails = [f"person{number}@example.test" for number in range(250)]
    assert set(hubspot.client.contacts_by_email(emails)) == set(emails)
    assert [len(hubspot.vendor.body(number)["inputs"]) for number in range(3)] == [100, 100, 50]


def test_no_address_is_no_call() -> None:
    hubspot = HubSpot([])
    assert hubspot.client.contacts_by_email(["", "  ", "no address"]) == {}
    assert hubspot.client.contacts_by_ids([]) == {}
    assert hubspot.client.update_contacts([]) == []


def test_a_contact_is_found_by_an_additional_address_but_a_first_one_wins() -> None:
    first = contact_json(1, email="ada@example.test")
    other = contact_json(2, email="a@example.test", hs_additional_emails="ada@example.test;A.L@example.test")
    for results in ([first, other], [other, first]):
        found = HubSpot([batch(*results)]).client.contacts_by_email(["ada@example.test", "a.l@example.test"])
        assert {email: contact.id for email, contact in found.items()} == {"ada@example.test": "1", "a.l@example.test": "2"}


def test_a_read_that_failed_in_part_is_a_failure_and_not_a_missing_contact() -> None:
    for answer in (batch(errors=[problem("INTERNAL_ERROR")]), answered({"status": "COMPLETE"})):
        with pytest.raises(Transient) as failure:
            HubSpot([answer]).client.contacts_by_email(["ada@example.test"])
        assert failure.value.reason == "partial_read"
        assert "ada" not in str(failure.value)


def test_no_address_is_named_in_an_error() -> None:
    with pytest.raises(Permanent) as failure:
        HubSpot([httpx2.Response(400)]).client.contacts_by_email(["ada@example.test"])
    assert "ada" not in str(failure.value)


def test_each_update_has_its_own_result_in_the_order_of_the_updates() -> None:
    refused = problem("VALIDATION_ERROR", objectWriteTraceId=["job-2"])
    gone = problem("OBJECT_NOT_FOUND", ids=["3"])
    hubspot = HubSpot([batch(contact_json(4, trace="job-4"), contact_json(1, trace="job-1"), errors=[gone, refused])])
    results = hubspot.client.update_contacts(updates(1, 2, 3, 4))
    assert [(result.trace_id, result.ok) for result in results] == [
        ("job-1", True),
        ("job-2", False),
        ("job-3", False),
        ("job-4", True),
    ]
    assert [type(result.error) for result in results[1:3]] == [Permanent, RecordGone]
    assert "ada" not in str(results[1].error)
    assert results[0].updated_at is not None


def test_results_without_trace_ids_are_matched_by_the_contact() -> None:
    results = HubSpot([batch(contact_json(2), contact_json(1))]).client.update_contacts(updates(1, 2))
    assert [result.ok for result in results] == [True, True]


def test_an_update_that_the_answer_does_not_mention_is_looked_at_again() -> None:
    results = HubSpot([batch(contact_json(1, trace="job-1"))]).client.update_contacts(updates(1, 2))
    assert results[0].ok
    assert isinstance(results[1].error, Transient)
    assert results[1].error.reason == "outcome_unknown"


@pytest.mark.parametrize(
    ("category", "kind"),
    [("RATE_LIMITS", BudgetSpent), ("CONFLICT", Permanent), ("INTERNAL_ERROR", Transient), ("<script>", Transient)],
)
def test_the_category_of_a_failed_input_decides_whether_another_try_helps(category: str, kind: type[Exception]) -> None:
    error = problem(category, objectWriteTraceId=["job-1"])
    (result,) = HubSpot([batch(errors=[error])]).client.update_contacts(updates(1))
    assert type(result.error) is kind
    assert "<" not in str(result.error)


def test_a_write_is_never_sent_twice_by_the_client() -> None:
    hubspot = HubSpot([httpx2.ReadError("reset"), batch(contact_json(1))])
    with pytest.raises(Transient) as failure:
        hubspot.client.update_contacts(updates(1))
    assert failure.value.reason == "connection_failed"
    assert len(hubspot.vendor.requests) == 1


def test_two_updates_of_one_contact_or_more_than_a_batch_are_a_mistake_of_the_caller() -> None:
    for too_much in (updates(1, 1), updates(*range(101))):
        with pytest.raises(ValueError, match="At most 100"):
            HubSpot([]).client.update_contacts(too_much)


def test_one_contact_is_read_or_gone() -> None:
    hubspot = HubSpot([answered(contact_json(901)), httpx2.Response(404)])
    assert hubspot.client.contact("901", properties=["email"]).id == "901"
    with pytest.raises(RecordGone):
        hubspot.client.contact("902")


def test_many_contacts_are_read_by_id_to_look_before_writing_again() -> None:
    hubspot = HubSpot([batch(contact_json(1), errors=[problem("OBJECT_NOT_FOUND", ids=["2"])])])
    assert set(hubspot.client.contacts_by_ids(["1", "2"], properties=["email"])) == {"1"}
    assert "idProperty" not in hubspot.vendor.body()


def test_the_version_stands_where_hubspot_wants_it() -> None:
    assert objects_path("2026-09", "contacts") == "/crm/objects/2026-09/contacts"
    assert objects_path("v3", "contacts") == "/crm/v3/objects/contacts"
