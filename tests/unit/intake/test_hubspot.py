from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.support.deliveries import hubspot_event, hubspot_headers, recorded_one
from zixly_core.errors import InvalidSignature, MalformedPayload
from zixly_core.system import IncomingRequest, ParsedEvent
from zixly_core.systems.hubspot.receive import HubSpotProfile, signed_url

PROFILE = HubSpotProfile()
SECRET = "client-secret"
URL = "https://hooks.example.test/webhook/hubspot"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def request_with(*events: object, url: str = URL, signed: str = URL) -> IncomingRequest:
    body = json.dumps(events).encode()
    return IncomingRequest("POST", url, hubspot_headers(body, secret=SECRET, url=signed, at=NOW), body, NOW)


def event_of(**overrides: object) -> ParsedEvent:
    (event,) = PROFILE.read(request_with(hubspot_event(62515, **overrides))).events
    return event


def test_a_property_that_changes_is_a_kind_of_its_own() -> None:
    event = event_of()
    assert event.kind == "deal.propertyChange:dealstage"
    assert (event.external_id, event.record_id, event.record_key) == ("62515", "17812345601", "hubspot:62515:deal:17812345601")


@pytest.mark.parametrize(("number", "kind"), [("0-1", "contact.creation"), ("0-3", "deal.creation"), ("2-4711", "2-4711.creation")])
def test_the_generic_form_of_an_event_names_its_object_by_number(number: str, kind: str) -> None:
    assert event_of(subscriptionType="object.creation", objectTypeId=number, propertyName=None).kind == kind


def test_the_field_may_be_called_event_type_as_the_table_of_fields_says() -> None:
    item = {**hubspot_event(62515), "eventType": "contact.deletion"}
    del item["subscriptionType"], item["propertyName"]
    (event,) = PROFILE.read(request_with(item)).events
    assert event.kind == "contact.deletion"


def test_another_attempt_at_the_same_event_is_the_same_event() -> None:
    assert event_of(attemptNumber=0).dedupe_key == event_of(attemptNumber=3).dedupe_key


@pytest.mark.parametrize("change", [{"objectId": 2}, {"propertyName": "amount"}, {"eventId": 2}, {"occurredAt": 1795341596001}])
def test_an_event_id_that_came_before_is_not_enough_to_be_the_same_event(change: dict[str, object]) -> None:
    assert event_of(**change).dedupe_key != event_of().dedupe_key


def test_associations_and_merges_have_fields_of_their_own() -> None:
    ends = {"fromObjectId": 1, "toObjectId": 2, "associationType": "DEAL_TO_CONTACT", "objectId": None, "propertyName": None}
    there, other = (
        event_of(subscriptionType="deal.associationChange", **ends),
        event_of(subscriptionType="deal.associationChange", **{**ends, "toObjectId": 3}),
    )
    assert (there.kind, there.record_id) == ("deal.associationChange", "1")
    assert there.dedupe_key != other.dedupe_key
    assert event_of(subscriptionType="contact.merge", objectId=None, primaryObjectId=7).record_id == "7"


def test_ids_may_be_numbers_or_texts() -> None:
    assert event_of(portalId="62515", objectId="17812345601").record_key == event_of().record_key


def test_a_hundred_events_of_twenty_portals_are_each_of_their_own_portal() -> None:
    events = [hubspot_event(62500 + n % 20, objectId=n) for n in range(100)]
    read = PROFILE.read(request_with(*events)).events
    assert [int(event.external_id) for event in read] == [62500 + n % 20 for n in range(100)]
    assert len({event.dedupe_key for event in read}) == 100


def test_only_the_documented_characters_of_the_url_are_decoded_before_it_is_signed() -> None:
    assert signed_url("https://x/a%2Fb?c=%3A%20%26%3D%40%25") == "https://x/a/b?c=:%20%26%3D@%25"


def test_the_url_is_signed_so_another_path_or_host_is_refused() -> None:
    PROFILE.verify(request_with(hubspot_event(1)), secrets=[SECRET])
    for other in ("https://evil.example.test/webhook/hubspot", f"{URL}-deal", f"{URL}?x=1"):
        with pytest.raises(InvalidSignature):
            PROFILE.verify(request_with(hubspot_event(1), url=other), secrets=[SECRET])


def test_the_older_signatures_alone_are_refused_with_their_reason() -> None:
    delivery = recorded_one("hubspot", "01-deal-won")
    older = {name: value for name, value in delivery.request().headers.items() if name != "x-hubspot-signature-v3"}
    for version in ("v1", "v2"):
        request = replace(delivery.request(), headers={**older, "x-hubspot-signature-version": version})
        with pytest.raises(InvalidSignature) as refused:
            PROFILE.verify(request, secrets=[delivery.secret])
        assert refused.value.reason == "signature_version"


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"[{}]", b'"text"', b"", b'[{"portalId": true}]'])
def test_a_body_that_cannot_be_read_is_answered_with_success_and_kept(body: bytes) -> None:
    request = replace(request_with(), body=body)
    with pytest.raises(MalformedPayload) as refused:
        PROFILE.read(request)
    assert PROFILE.rejection(refused.value).status == 200
