from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from tests.support.sandbox import SandboxCaller
from zixly_core.signatures import hmac_base64
from zixly_sandbox.constants import ADA_IN_XERO, DEMO, OPEN_INVOICE, PAID_INVOICE, WEBHOOK_KEY
from zixly_sandbox.webhooks.message import Event, body_of

RECORDED = Path(__file__).parents[2] / "payloads" / "xero" / "deliveries"
Endpoint = Callable[[httpx2.Request], httpx2.Response]


def is_signed(request: httpx2.Request) -> bool:
    return request.headers["x-xero-signature"] == hmac_base64(WEBHOOK_KEY.encode(), request.content)


def good(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200 if is_signed(request) else 401)


@contextlib.asynccontextmanager
async def sending(endpoint: Endpoint) -> AsyncIterator[tuple[SandboxCaller, list[httpx2.Request]]]:
    """A sandbox whose webhooks reach `endpoint`, and what arrived there."""
    arrived: list[httpx2.Request] = []

    def take(request: httpx2.Request) -> httpx2.Response:
        arrived.append(request)
        return endpoint(request)

    caller = SandboxCaller(transport=httpx2.MockTransport(take))
    async with caller.http, caller.app.router.lifespan_context(caller.app):
        await caller.admin("PATCH", "/rules", {"webhooks": {"gather_seconds": 0.001, "time_scale": 0}})
        yield caller, arrived


async def until(condition: Callable[[], object]) -> None:
    for _ in range(2500):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("what was waited for did not happen within 5 seconds")


def events_in(requests: list[httpx2.Request]) -> list[dict[str, Any]]:
    return [event for request in requests for event in orjson.loads(request.content)["events"]]


@pytest.mark.parametrize("name", ["01-intent-to-receive-signed", "03-invoice-update", "04-mixed-batch-two-tenants"])
def test_a_body_is_written_as_the_recorded_ones_are(name: str) -> None:
    recorded = orjson.loads((RECORDED / f"{name}.json").read_bytes())
    document = orjson.loads(recorded["body"])
    events = [
        Event(item["tenantId"], item["eventCategory"], item["resourceId"], item["eventType"], instant(item["eventDateUtc"]))
        for item in document["events"]
    ]
    made = body_of(events, first_sequence=document["firstEventSequence"], entropy=document["entropy"])
    assert made.decode() == recorded["body"]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_a_paid_invoice_is_told_by_one_signed_update() -> None:
    async with sending(good) as (caller, arrived):
        await caller.admin("POST", f"/xero/{DEMO.organisation}/pay", {"invoice_ids": [OPEN_INVOICE]})
        await until(lambda: arrived)
        (event,) = events_in(arrived)
    assert is_signed(arrived[0])
    assert (event["resourceId"], event["eventType"], event["tenantId"]) == (OPEN_INVOICE, "UPDATE", DEMO.organisation)
    assert event["eventDateUtc"] == "2026-11-22T10:00:00.000"


async def test_a_changed_contact_is_told_too() -> None:
    async with sending(good) as (caller, arrived):
        path = f"/xero/{DEMO.organisation}/contacts/{ADA_IN_XERO}"
        await caller.admin("PATCH", path, {"values": {"EmailAddress": "ada@new.example.test"}})
        await until(lambda: arrived)
    assert [event["eventCategory"] for event in events_in(arrived)] == ["CONTACT"]


async def test_changes_of_a_moment_share_a_delivery() -> None:
    async with sending(good) as (caller, arrived):
        paid = (await caller.admin("POST", f"/xero/{DEMO.organisation}/pay", {"count": 5}))["paid"]
        await until(lambda: arrived)
    assert len(arrived) == 1
    assert [event["resourceId"] for event in events_in(arrived)] == paid
    body = orjson.loads(arrived[0].content)
    assert body["lastEventSequence"] - body["firstEventSequence"] == 4


async def test_duplicates_are_the_same_bytes_and_events_have_times_of_their_own() -> None:
    async with sending(good) as (caller, arrived):
        sent = await caller.admin(
            "POST", "/webhooks/xero/send", {"organisation": DEMO.organisation, "count": 3, "duplicates": 1, "shuffled": True}
        )
        await until(lambda: len(arrived) == 6)
    assert (sent["deliveries"], len(set(sent["record_ids"]))) == (6, 3)
    keys = [(event["resourceId"], event["eventDateUtc"]) for event in events_in(arrived)]
    assert sorted(keys) == sorted([*set(keys), *set(keys)])


async def test_a_failed_delivery_is_tried_again_with_the_same_body() -> None:
    answers = iter([500, 302, 200])
    async with sending(lambda _: httpx2.Response(next(answers))) as (caller, arrived):
        await caller.admin("POST", "/webhooks/xero/send", {"organisation": DEMO.organisation, "record_ids": [PAID_INVOICE]})
        await until(lambda: len(arrived) == 3)
        log = await caller.admin("GET", "/webhooks/xero/deliveries")
    assert len({request.content for request in arrived}) == 1
    assert [attempt["outcome"] for attempt in log["deliveries"][0]["attempts"]] == ["500", "302", "200"]
    assert log["counts"]["delivered"] == 1


async def test_after_a_day_of_failures_the_webhook_is_off_and_what_piled_up_comes_once_it_is_on_again() -> None:
    healthy = False

    def endpoint(request: httpx2.Request) -> httpx2.Response:
        return good(request) if healthy else httpx2.Response(503)

    async with sending(endpoint) as (caller, arrived):
        await caller.admin("POST", "/webhooks/xero/send", {"organisation": DEMO.organisation, "record_ids": [PAID_INVOICE]})
        await until(lambda: caller.sandbox.webhook.state == "disabled")
        tries = len(arrived)
        await caller.admin("POST", f"/xero/{DEMO.organisation}/pay", {"invoice_ids": [OPEN_INVOICE]})
        assert (await caller.admin("POST", "/webhooks/xero/enable"))["state"] == "disabled"
        healthy = True
        assert (await caller.admin("POST", "/webhooks/xero/enable"))["state"] == "enabled"
        await until(lambda: len(events_in(arrived[tries:])) == 2)
    assert tries == 98  # the first, one at once, then every 15 minutes for 24 hours
    assert {event["resourceId"] for event in events_in(arrived[tries:])} == {PAID_INVOICE, OPEN_INVOICE}


async def test_a_credit_note_is_told_with_its_type_and_status() -> None:
    async with sending(good) as (caller, arrived):
        await caller.admin("POST", f"/xero/{DEMO.organisation}/invoices/{OPEN_INVOICE}/credit", {"amount": 5, "allocate": False})
        await until(lambda: arrived)
    (event,) = events_in(arrived)
    assert (event["eventCategory"], event["eventType"]) == ("CREDITNOTE", "CREATE")
    assert event["data"] == {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}
    assert event["resourceUrl"].endswith(f"/CreditNotes/{event['resourceId']}")


async def test_what_piled_up_while_the_webhook_was_off_comes_in_order_and_not_after_31_days() -> None:
    async with sending(good) as (caller, arrived):
        await caller.admin("PATCH", "/rules", {"webhooks": {"events_per_delivery": 1}})
        await caller.admin("POST", "/webhooks/xero/disable")
        too_old = (await caller.admin("POST", f"/xero/{DEMO.organisation}/pay", {"count": 2}))["paid"]
        caller.clock.advance(31 * 86_400 + 1)
        kept = (await caller.admin("POST", f"/xero/{DEMO.organisation}/pay", {"count": 8}))["paid"]
        await caller.admin("POST", "/webhooks/xero/enable")
        await until(lambda: len(events_in(arrived)) == len(kept))
    assert [event["resourceId"] for event in events_in(arrived)] == kept
    assert not set(kept) & set(too_old)


async def test_probes_pass_an_endpoint_that_tells_right_from_wrong() -> None:
    async with sending(good) as (caller, arrived):
        verdict = await caller.admin("POST", "/webhooks/xero/probe")
    assert verdict["passed"]
    assert sorted(item["signed_right"] for item in verdict["probes"]) == [False] * 3 + [True] * 3
    assert [is_signed(request) for request in arrived].count(False) == 3
    assert all(orjson.loads(request.content)["firstEventSequence"] == 0 for request in arrived)


@pytest.mark.parametrize(
    ("endpoint", "fault"),
    [
        (lambda _: httpx2.Response(200), "answered 200 instead of 401"),
        (lambda _: httpx2.Response(401), "answered 401 instead of 200"),
        (lambda r: httpx2.Response(200, text="ok") if is_signed(r) else httpx2.Response(401), "the body is not empty"),
        (lambda r: httpx2.Response(good(r).status_code, headers={"Set-Cookie": "a=b"}), "the answer sets a cookie"),
    ],
)
async def test_probes_fail_an_endpoint_and_say_why(endpoint: Endpoint, fault: str) -> None:
    async with sending(endpoint) as (caller, _arrived):
        verdict = await caller.admin("POST", "/webhooks/xero/probe")
    assert not verdict["passed"]
    assert fault in {item["fault"] for item in verdict["probes"]}


async def test_an_endpoint_that_takes_too_long_has_not_answered() -> None:
    async def slow(_request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(5)
        return httpx2.Response(200)

    caller = SandboxCaller(transport=httpx2.MockTransport(slow))
    async with caller.http, caller.app.router.lifespan_context(caller.app):
        await caller.admin("PATCH", "/rules", {"webhooks": {"answer_seconds": 0.01}})
        await caller.admin("POST", "/webhooks/xero/send", {"organisation": DEMO.organisation, "record_ids": [PAID_INVOICE]})
        await until(lambda: caller.sandbox.webhook.log.counts()["retrying"])
        log = await caller.admin("GET", "/webhooks/xero/deliveries")
    assert log["deliveries"][0]["attempts"][0]["outcome"] == "TimeoutError"


async def test_events_that_are_lost_on_their_way_leave_a_gap_in_the_numbers() -> None:
    async with sending(good) as (caller, arrived):
        for to_lose in (0, 2, 0):
            if to_lose:
                await caller.admin("POST", f"/webhooks/xero/lose-next?count={to_lose}")
            before = len(arrived)
            await caller.admin("POST", f"/xero/{DEMO.organisation}/pay", {"count": to_lose or 1})
            if not to_lose:
                await until(lambda before=before: len(arrived) > before)  # type: ignore[misc]
        bodies = [orjson.loads(request.content) for request in arrived]
        assert [(body["firstEventSequence"], body["lastEventSequence"]) for body in bodies] == [(1, 1), (4, 4)]
