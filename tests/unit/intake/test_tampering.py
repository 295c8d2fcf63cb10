"""What no sender may achieve, whatever it sends: a changed body that passes, or an exception that is not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.deliveries import recorded_one
from zixly_core.errors import Rejected
from zixly_core.system import IncomingRequest, ParsedEvent, ReceiveProfile
from zixly_core.systems import SYSTEMS

XERO = recorded_one("xero", "03-invoice-update")
CALLBACK = recorded_one("callbacks", "01-job-finished")
GOOD = [XERO, CALLBACK]
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


@pytest.mark.parametrize("delivery", GOOD, ids=lambda one: one.system)
@given(data=st.data())
def test_a_body_with_any_byte_changed_is_refused(delivery: object, data: st.DataObject) -> None:
    assert isinstance(delivery, type(XERO))
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


@given(signature=header_values)
def test_no_other_signature_passes_for_xero(signature: str) -> None:
    request = replace(XERO.request(), headers={"x-xero-signature": signature})
    if signature != XERO.headers["x-xero-signature"]:
        with pytest.raises(Rejected):
            SYSTEMS["xero"].profile.verify(request, secrets=[XERO.secret])


@given(body=st.binary(max_size=400) | json_values.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("delivery", GOOD, ids=lambda one: one.system)
def test_any_bytes_are_read_or_refused(delivery: object, body: bytes) -> None:
    assert isinstance(delivery, type(XERO))
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
