from __future__ import annotations

import pytest

from tests.support.deliveries import RecordedDelivery, recorded
from zixly_core.errors import Rejected
from zixly_core.systems import SYSTEMS

ALL = [*recorded("xero"), *recorded("callbacks")]


@pytest.mark.parametrize("delivery", ALL, ids=lambda one: f"{one.system}-{one.name}")
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
    assert [event.dedupe_key for event in reading.events] == list(delivery.event_keys)
    # The files say 200 where any 2xx is taken; only Xero's is exact, and empty.
    assert reading.answer.status == {"xero": 200, "callbacks": 202}[delivery.system]
    assert delivery.system != "xero" or reading.answer.body == b""


@pytest.mark.parametrize("delivery", [one for one in ALL if one.is_accepted], ids=lambda one: f"{one.system}-{one.name}")
def test_a_good_delivery_verifies_under_any_of_our_secrets_and_under_none_when_the_system_is_off(
    delivery: RecordedDelivery,
) -> None:
    profile = SYSTEMS[delivery.system].profile
    other = delivery.secret[:-8] + "AAAAAAA="
    profile.verify(delivery.request(), secrets=[other, delivery.secret])
    for secrets in ([], [other]):
        with pytest.raises(Rejected):
            profile.verify(delivery.request(), secrets=secrets)
