"""What no sender may achieve, whatever it sends: a changed body that passes, or an exception that is not ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.deliveries import RecordedDelivery, recorded_one
from zixly_core.errors import Rejected
from zixly_core.system import IncomingRequest, ParsedEvent, ReceiveProfile
from zixly_core.systems import SYSTEMS

XERO = recorded_one("xero", "03-invoice-update")
CALLBACK = recorded_one("callbacks", "01-job-finished")
HUBSPOT = recorded_one("hubspot", "02-batch-of-three-utf8")
SHOPIFY = recorded_one("shopify", "02-customers-create-utf8")
ASANA = recorded_one("asana", "03-task-completed-changed")
GOOD = [XERO, HUBSPOT, SHOPIFY, ASANA, CALLBACK]
SIGNATURES = {
    "xero": "x-xero-signature",
    "hubspot": "x-hubspot-signature-v3",
    "shopify": "x-shopify-hmac-sha256",
    "asana": "x-hook-signature",
    "callbacks": "webhook-signature",
}
STAMPED = [(HUBSPOT, "x-hubspot-request-timestamp", 1_000), (CALLBACK, "webhook-timestamp", 1)]
# What one index entry of Postgres can hold is about 2,700 bytes.
INDEXED_BYTES = 2_600

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
xero_events = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | st.just("2026-11-22T09:59:41.902") | st.just("0001-01-01T00:00:00+14:00")
        for name in ("resourceId", "tenantId", "eventCategory", "eventType", "eventDateUtc")
    },
)
callbacks = st.fixed_dictionaries(
    {"type": st.text(min_size=1, max_size=260) | json_values},
    optional={
        "timestamp": st.text(max_size=40) | st.just("0001-01-01T00:00:00+14:00") | json_values,
        "data": json_values
        | st.fixed_dictionaries(
            {"record": st.fixed_dictionaries({name: st.text(max_size=260) for name in ("system", "account", "category", "id")})}
        ),
    },
)
ids = st.integers(-(2**70), 2**70) | st.text(max_size=260) | json_values
hubspot_events = st.fixed_dictionaries(
    {"subscriptionType": st.sampled_from(["deal.propertyChange", "object.creation", "contact.merge", "x"]) | st.text(max_size=260)},
    optional=dict.fromkeys(
        ("portalId objectId eventId occurredAt propertyName objectTypeId primaryObjectId fromObjectId toObjectId associationType").split(),
        ids,
    ),
)
asana_events = st.fixed_dictionaries(
    {"created_at": st.just("2026-11-22T09:59:12.345Z") | st.text(max_size=30) | json_values},
    optional={
        "action": st.text(max_size=260) | json_values,
        "resource": st.fixed_dictionaries({"gid": ids, "resource_type": st.text(max_size=260)}) | json_values,
        "change": st.fixed_dictionaries({"field": ids}) | json_values,
    },
)
shopify_bodies = st.dictionaries(
    st.sampled_from("id order_id admin_graphql_api_id shop_domain shop_id customer updated_at created_at order_edit".split()),
    ids | st.just("gid://shopify/Order/1") | st.just("2026-11-22T09:59:57-00:00") | st.fixed_dictionaries({"id": ids}),
)
header_values = st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=2_100)


def events_or_rejection(profile: ReceiveProfile, request: IncomingRequest) -> tuple[ParsedEvent, ...]:
    """The events, none when the profile refuses; any other exception fails the test."""
    try:
        return profile.read(request).events
    except Rejected as error:
        status = profile.rejection(error).status
    assert 200 <= status < 500
    return ()


def assert_storable(events: tuple[ParsedEvent, ...]) -> None:
    for event in events:
        assert event.occurred_at.utcoffset() == timedelta(0)
        for text in (event.dedupe_key, event.record_key, event.kind, event.external_id, event.record_id):
            assert text.isprintable()
            assert 0 < len(text.encode()) <= INDEXED_BYTES


def refusal_of(delivery: RecordedDelivery, request: IncomingRequest) -> Rejected:
    """Why the request is refused; the test fails when it is not."""
    with pytest.raises(Rejected) as refused:
        SYSTEMS[delivery.system].profile.verify(request, secrets=[delivery.secret])
    return refused.value


def with_header(delivery: RecordedDelivery, name: str, value: str | None) -> IncomingRequest:
    headers = {key: given for key, given in delivery.request().headers.items() if key != name}
    return replace(delivery.request(), headers=headers if value is None else {**headers, name: value})


every_system = pytest.mark.parametrize("delivery", GOOD, ids=lambda one: one.system)


@every_system
def test_a_delivery_without_its_signature_is_refused(delivery: RecordedDelivery) -> None:
    for value in (None, ""):
        # HubSpot still sends its older signature beside it, which is not enough.
        expected = "signature_version" if delivery.system == "hubspot" else "signature_missing"
        assert refusal_of(delivery, with_header(delivery, SIGNATURES[delivery.system], value)).reason == expected


@every_system
def test_a_signature_that_came_twice_is_no_signature(delivery: RecordedDelivery) -> None:
    """Two headers of one name reach us joined by a comma, as HTTP says: ours, and whatever somebody put beside it."""
    name = SIGNATURES[delivery.system]
    given = delivery.request().headers[name]
    for doubled in (f"{given}, {given}", f"{given}, wrong", f"wrong, {given}"):
        assert refusal_of(delivery, with_header(delivery, name, doubled)).reason == "invalid_signature"


@every_system
def test_a_signature_in_another_case_is_refused(delivery: RecordedDelivery) -> None:
    name = SIGNATURES[delivery.system]
    given = delivery.request().headers[name]
    assert refusal_of(delivery, with_header(delivery, name, given.swapcase())).reason == "invalid_signature"


@every_system
@pytest.mark.parametrize(
    "written_again",
    [
        lambda body: json.dumps(json.loads(body)).encode(),
        lambda body: json.dumps(json.loads(body), separators=(",", ":"), sort_keys=True).encode(),
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.decode().encode("utf-16"),
        lambda body: body + b"\n",
    ],
    ids=["blanks", "sorted", "byte order mark", "UTF-16", "line feed"],
)
def test_the_same_json_in_other_bytes_is_refused(delivery: RecordedDelivery, written_again: Callable[[bytes], bytes]) -> None:
    body = written_again(delivery.body)
    assert body != delivery.body
    assert refusal_of(delivery, replace(delivery.request(), body=body)).reason == "invalid_signature"


@pytest.mark.parametrize(("delivery", "name", "per_second"), STAMPED, ids=lambda one: getattr(one, "system", None))
@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_a_timestamp_too_far_in_the_past_or_the_future_is_refused(
    delivery: RecordedDelivery, name: str, per_second: int, seconds: int
) -> None:
    at = int(delivery.received_at.timestamp() + seconds) * per_second
    assert refusal_of(delivery, with_header(delivery, name, str(at))).reason == "stale_timestamp"


@pytest.mark.parametrize(("delivery", "name", "per_second"), STAMPED, ids=lambda one: getattr(one, "system", None))
@pytest.mark.parametrize(
    "text", ["", "abc", "-1", "1e9", "1795341597.5", " 1795341597", "１７９５３４１５９７", "9" * 40, "1795341597, 1795341597"]
)
def test_a_timestamp_that_is_no_number_is_refused(delivery: RecordedDelivery, name: str, per_second: int, text: str) -> None:
    assert refusal_of(delivery, with_header(delivery, name, text)).reason in {"stale_timestamp", "signature_missing"}


@every_system
@given(data=st.data())
def test_a_body_with_any_byte_changed_is_refused(delivery: RecordedDelivery, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(delivery.body) - 1))
    flipped = data.draw(st.integers(1, 255))
    body = bytearray(delivery.body)
    body[position] ^= flipped
    with pytest.raises(Rejected):
        SYSTEMS[delivery.system].profile.verify(replace(delivery.request(), body=bytes(body)), secrets=[delivery.secret])


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@given(data=st.data())
def test_a_callback_with_any_signed_header_changed_is_refused(name: str, data: st.DataObject) -> None:
    request = CALLBACK.request()
    value = data.draw(header_values.filter(lambda given_value: given_value != request.headers[name]))
    changed = replace(request, headers={**request.headers, name: value})
    with pytest.raises(Rejected):
        SYSTEMS["callbacks"].profile.verify(changed, secrets=[CALLBACK.secret])


@every_system
@given(signature=header_values)
def test_no_other_signature_passes(delivery: RecordedDelivery, signature: str) -> None:
    name = SIGNATURES[delivery.system]
    if signature != delivery.request().headers[name]:
        refusal_of(delivery, with_header(delivery, name, signature))


@every_system
@given(body=st.binary(max_size=400) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read_or_refused(delivery: RecordedDelivery, body: bytes) -> None:
    profile = SYSTEMS[delivery.system].profile
    assert_storable(events_or_rejection(profile, replace(delivery.request(), body=body)))


@given(events=st.lists(xero_events, max_size=3))
def test_any_xero_events_are_storable_or_refused(events: list[dict[str, object]]) -> None:
    body = json.dumps({"events": events}).encode(errors="surrogatepass")
    assert_storable(events_or_rejection(SYSTEMS["xero"].profile, replace(XERO.request(), body=body)))


@given(document=callbacks, message_id=header_values)
def test_any_callback_is_storable_or_refused(document: dict[str, object], message_id: str) -> None:
    request = replace(
        CALLBACK.request(), body=json.dumps(document).encode(), headers={**CALLBACK.request().headers, "webhook-id": message_id}
    )
    assert_storable(events_or_rejection(SYSTEMS["callbacks"].profile, request))


@given(events=st.lists(hubspot_events, max_size=3))
def test_any_hubspot_events_are_storable_or_refused(events: list[dict[str, object]]) -> None:
    assert_storable(events_or_rejection(SYSTEMS["hubspot"].profile, replace(HUBSPOT.request(), body=json.dumps(events).encode())))


@given(events=st.lists(asana_events, max_size=3))
def test_any_asana_events_are_storable_or_refused(events: list[dict[str, object]]) -> None:
    body = json.dumps({"events": events}).encode()
    assert_storable(events_or_rejection(SYSTEMS["asana"].profile, replace(ASANA.request(), body=body)))


@given(document=shopify_bodies, topic=header_values | st.sampled_from(["orders/paid", "refunds/create", "shop/redact", "new_things/made"]))
def test_any_shopify_delivery_is_storable_or_refused(document: dict[str, object], topic: str) -> None:
    request = with_header(replace(SHOPIFY, body=json.dumps(document).encode()), "x-shopify-topic", topic)
    assert_storable(events_or_rejection(SYSTEMS["shopify"].profile, request))


@given(secret=header_values, body=st.binary(max_size=20))
def test_any_offered_secret_is_taken_or_refused(secret: str, body: bytes) -> None:
    request = replace(ASANA.request(), headers={"x-hook-secret": secret}, body=body)
    try:
        offer = SYSTEMS["asana"].profile.handshake(request)
    except Rejected:
        offer = None
    assert offer is None or (offer.secret.isprintable() and dict(offer.answer.headers) == {"X-Hook-Secret": secret})
