from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.support.deliveries import PAYLOADS, RecordedDelivery, all_recorded, recorded
from zixly_core.errors import Rejected
from zixly_core.system import IncomingRequest, ParsedEvent
from zixly_core.systems import SYSTEMS
from zixly_core.systems.hubspot.receive import HubSpotProfile

# A handshake brings the secret, and is not verified with one (tests/unit/intake/test_asana.py).
VERIFIED = [one for one in all_recorded() if (one.system, one.name) != ("asana", "01-handshake")]
STATUSES = {"xero": 200, "hubspot": 200, "shopify": 200, "asana": 200, "callbacks": 202}


# How each system's files call what we call otherwise.
FACTS: dict[str, Callable[[ParsedEvent], dict[str, object]]] = {
    "xero": lambda event: {"tenantId": event.external_id, "category": event.category, "type": event.type, "resourceId": event.record_id},
    "hubspot": lambda event: {"type": f"{event.category}.{event.type.partition(':')[0]}", "objectId": int(event.record_id)},
    "shopify": lambda event: {"topic": f"{event.category}/{event.type}", "resourceId": int(event.record_id)},
    "asana": lambda event: {
        "resource_type": event.category,
        "gid": event.record_id,
        "action": event.type.partition(":")[0],
        "field": event.type.partition(":")[2],
    },
    "callbacks": lambda event: {"key": event.dedupe_key},
}


def agree(event: ParsedEvent, told: dict[str, object]) -> bool:
    """Whether the event is what its file says, in everything that it says."""
    ours = {"key": event.dedupe_key} | FACTS[event_system(event)](event)
    return told.keys() <= ours.keys() and all(ours[name] == value for name, value in told.items())


def event_system(event: ParsedEvent) -> str:
    return event.record_key.partition(":")[0]


@pytest.mark.parametrize("delivery", VERIFIED, ids=lambda one: f"{one.system}-{one.name}")
def test_every_recorded_delivery_gets_its_verdict_events_and_answer(delivery: RecordedDelivery) -> None:
    profile = SYSTEMS[delivery.system].profile
    request = delivery.request()
    if not delivery.is_accepted:
        with pytest.raises(Rejected) as refused:
            profile.verify(request, secrets=[delivery.secret])
        assert profile.rejection(refused.value).status == delivery.status
        return
    profile.verify(request, secrets=[delivery.secret])
    reading = profile.read(request)
    assert len(reading.events) == len(delivery.events)
    for event, told in zip(reading.events, delivery.events, strict=True):
        assert agree(event, told)
    # The files say 200 where any 2xx is taken; only Xero's is exact, and empty.
    assert reading.answer.status == STATUSES[delivery.system]
    assert delivery.system == "callbacks" or reading.answer.body == b""


@pytest.mark.parametrize("delivery", [one for one in VERIFIED if one.is_accepted], ids=lambda one: f"{one.system}-{one.name}")
def test_a_good_delivery_verifies_under_any_of_our_secrets_and_under_none_when_the_system_is_off(
    delivery: RecordedDelivery,
) -> None:
    profile = SYSTEMS[delivery.system].profile
    other = delivery.secret[:-8] + "AAAAAAA="
    profile.verify(delivery.request(), secrets=[other, delivery.secret])
    for secrets in ([], [other]):
        with pytest.raises(Rejected):
            profile.verify(delivery.request(), secrets=secrets)


def test_every_system_has_recorded_deliveries() -> None:
    assert [name for name in SYSTEMS if not recorded(name)] == []


@pytest.mark.parametrize(
    "vector",
    [one for one in json.loads((PAYLOADS / "hubspot" / "signature_vectors.json").read_text())["vectors"] if one["version"] == "v3"],
    ids=lambda one: one["timestamp"],
)
def test_the_known_answers_that_hubspot_published_are_ours(vector: dict[str, str]) -> None:
    headers = {"x-hubspot-signature-v3": vector["signature"], "x-hubspot-request-timestamp": vector["timestamp"]}
    at = datetime.fromtimestamp(int(vector["timestamp"]) / 1000, UTC)
    request = IncomingRequest(vector["method"], vector["url"], headers, vector["body"].encode(), at)
    HubSpotProfile().verify(request, secrets=[vector["secret"]])
