from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from tests.support.sandbox import HUBSPOT, NOW, SandboxCaller
from tests.unit.sandbox.test_webhooks import until
from zixly_core.signatures import hmac_base64
from zixly_sandbox.constants import ADA_IN_HUBSPOT, APP, DEAL, DEMO, SECOND
from zixly_sandbox.hubspot.webhook_message import headers_for

PUBLIC = "https://bridge.example.test/webhook/hubspot"
RECORDED = Path(__file__).parents[2] / "payloads" / "hubspot" / "deliveries"


@contextlib.asynccontextmanager
async def sending(answer: Callable[[httpx2.Request], httpx2.Response]) -> AsyncIterator[tuple[SandboxCaller, list[httpx2.Request]]]:
    """A sandbox whose webhooks reach `answer`, and what arrived there."""
    arrived: list[httpx2.Request] = []

    def take(request: httpx2.Request) -> httpx2.Response:
        arrived.append(request)
        return answer(request)

    caller = SandboxCaller(transport=httpx2.MockTransport(take))
    async with caller.http, caller.app.router.lifespan_context(caller.app):
        await caller.admin("PATCH", "/rules", {"hubspot_webhooks": {"gather_seconds": 0.001, "time_scale": 0}})
        await caller.admin("PUT", "/webhooks/hubspot", {"public_url": PUBLIC})
        yield caller, arrived


def taken(_request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200)


def events_in(requests: list[httpx2.Request]) -> list[dict[str, Any]]:
    return [event for request in requests for event in orjson.loads(request.content)]


@pytest.mark.parametrize("name", ["01-deal-won", "02-batch-of-three-utf8", "05-encoded-query-uri"])
def test_deliveries_are_signed_as_the_recorded_ones_are(name: str) -> None:
    recorded = orjson.loads((RECORDED / f"{name}.json").read_bytes())
    wanted = {name: value for name, value in recorded["headers"].items() if name.startswith("X-HubSpot")}
    sent_at = int(wanted["X-HubSpot-Request-Timestamp"])
    made = headers_for(recorded["body"].encode(), url=recorded["url"], secret=recorded["secret"], now_ms=sent_at)
    assert {name: made[name] for name in wanted} == wanted


async def test_a_deal_that_a_person_wins_is_told_with_its_stage_and_signed_over_the_public_address() -> None:
    async with sending(taken) as (caller, arrived):
        await caller.admin("POST", f"/hubspot/{DEMO.portal}/deals/{DEAL}/stage", {"stage": "contractsent"})
        await until(lambda: arrived)
    (event,) = events_in(arrived)
    wanted = {
        "subscriptionType": "deal.propertyChange",
        "propertyName": "dealstage",
        "propertyValue": "contractsent",
        "changeSource": "CRM_UI",
    }
    assert wanted.items() <= event.items()
    assert (event["portalId"], event["objectId"], event["attemptNumber"]) == (int(DEMO.portal), int(DEAL), 0)
    text = b"POST" + PUBLIC.encode() + arrived[0].content + str(int(NOW * 1000)).encode()
    assert arrived[0].headers["X-HubSpot-Signature-v3"] == hmac_base64(APP.client_secret.encode(), text)
    assert str(arrived[0].url) == "http://127.0.0.1:3000/webhook/hubspot"


async def test_what_callers_write_is_told_as_integration_and_only_what_is_subscribed_to() -> None:
    async with sending(taken) as (caller, arrived):
        body = {"properties": {"firstname": "Augusta", "xero_last_invoice_status": "PAID"}}
        await caller.http.patch(f"{HUBSPOT}/contacts/{ADA_IN_HUBSPOT}", json=body, headers=await caller.hubspot_headers())
        await caller.http.delete(f"{HUBSPOT}/contacts/{ADA_IN_HUBSPOT}", headers=await caller.hubspot_headers())
        await until(lambda: len(events_in(arrived)) == 2)
    told = [(event["subscriptionType"], event.get("propertyName"), event["changeSource"]) for event in events_in(arrived)]
    assert told == [("contact.propertyChange", "firstname", "INTEGRATION"), ("contact.deletion", None, "INTEGRATION")]


async def test_writing_the_same_value_again_is_no_change() -> None:
    async with sending(taken) as (caller, arrived):
        path = f"/hubspot/{DEMO.portal}/contacts/{ADA_IN_HUBSPOT}"
        await caller.admin("PATCH", path, {"properties": {"firstname": "Ada"}})
        await caller.admin("PATCH", path, {"properties": {"firstname": "Augusta"}})
        await until(lambda: arrived)
    assert [event["propertyValue"] for event in events_in(arrived)] == ["Augusta"]


async def test_a_failed_delivery_is_tried_ten_more_times_with_its_number_and_then_lost() -> None:
    async with sending(lambda _: httpx2.Response(404)) as (caller, arrived):
        await caller.admin("POST", "/webhooks/hubspot/send", {"portal": DEMO.portal, "object_ids": [DEAL]})
        await until(lambda: caller.sandbox.hubspot_webhook.log.counts()["failed"])
    assert [event["attemptNumber"] for event in events_in(arrived)] == list(range(11))
    assert len({event["eventId"] for event in events_in(arrived)}) == 1


def test_the_waits_between_tries_spread_over_a_day() -> None:
    webhook = SandboxCaller().sandbox.hubspot_webhook
    waits = list(webhook.waits())
    assert len(waits) == 10
    assert 12 * 3600 < sum(waits) <= 24 * 3600
    assert waits != list(webhook.waits())


async def test_changes_of_a_moment_share_a_delivery_of_at_most_a_hundred_and_one_account() -> None:
    async with sending(taken) as (caller, arrived):
        for portal, count in ((DEMO.portal, 101), (SECOND.portal, 1)):
            for _ in range(count):
                await caller.admin("POST", f"/hubspot/{portal}/companies", {"properties": {"name": ""}})
        await until(lambda: len(events_in(arrived)) >= 102)
    sizes = sorted(len(orjson.loads(request.content)) for request in arrived)
    assert sizes[-1] <= 100
    assert all(len({event["portalId"] for event in orjson.loads(request.content)}) == 1 for request in arrived)


async def test_events_on_demand_can_share_an_id_come_twice_and_out_of_order() -> None:
    async with sending(taken) as (caller, arrived):
        wanted = {"portal": DEMO.portal, "count": 4, "events_per_delivery": 2, "duplicates": 1, "same_event_id": True, "shuffled": True}
        sent = await caller.admin("POST", "/webhooks/hubspot/send", wanted)
        await until(lambda: len(arrived) == 4)
    assert (sent["deliveries"], sent["events"], len(sent["object_ids"])) == (4, 8, 4)
    assert len({event["eventId"] for event in events_in(arrived)}) == 1
    assert sorted(str(event["objectId"]) for event in events_in(arrived)) == sorted(sent["object_ids"] * 2)


async def test_subscriptions_and_the_older_signature_can_be_set() -> None:
    async with sending(taken) as (caller, arrived):
        only = [{"object_type": "companies", "kind": "propertyChange", "property_name": "city"}]
        await caller.admin("PUT", "/webhooks/hubspot", {"subscriptions": only, "older_signature": "v2", "secret": "other"})
        company = await caller.admin("POST", f"/hubspot/{DEMO.portal}/companies", {"properties": {"name": "東京茶店", "city": "東京"}})
        await until(lambda: arrived)
    (event,) = events_in(arrived)
    assert (event["objectId"], event["propertyValue"]) == (int(company["id"]), "東京")
    assert arrived[0].headers["X-HubSpot-Signature-Version"] == "v2"
