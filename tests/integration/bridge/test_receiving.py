from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.integration.bridge.running import XERO_KEY, RunningBridge, eventually
from tests.integration.bridge.senders import CALLBACK_SECRET, add_sender, kept_request
from tests.support.deliveries import (
    RecordedDelivery,
    callback_headers,
    recorded,
    recorded_one,
    xero_body,
    xero_event,
    xero_headers,
)
from tests.support.ledger import ORGANISATION, TestLedger
from webhook_bridge.buckets import SOURCE

VERDICTS = {
    "01-intent-to-receive-signed": "handshake",
    "02-intent-to-receive-wrong": "rejected",
    "03-invoice-update": "accepted",
    "04-mixed-batch-two-tenants": "accepted",
    "05-tampered-body": "rejected",
}


def sent(bridge: RunningBridge, delivery: RecordedDelivery, *, path: str = "/webhook/xero") -> httpx2.Response:
    headers = {name: value for name, value in delivery.headers.items() if name.lower() != "content-length"}
    return bridge.http.post(path, content=delivery.body, headers=headers)


def posted(bridge: RunningBridge, body: bytes, *, key: str = XERO_KEY, path: str = "/webhook/xero") -> httpx2.Response:
    return bridge.http.post(path, content=body, headers=xero_headers(body, key=key))


def rows(ledger: TestLedger, query: str) -> list[dict[str, Any]]:
    return ledger.owner.execute(query).fetchall()


def only(ledger: TestLedger, query: str) -> dict[str, Any]:
    found = rows(ledger, query)
    assert len(found) == 1
    return found[0]


def callback_body(**data: object) -> bytes:
    record = {"system": "xero", "account": ORGANISATION, "category": "INVOICE", "id": "inv-1"}
    return json.dumps({"type": "report.finished", "data": {"record": record, **data}}).encode()


def signed_callback(body: bytes, *, message_id: str = "msg_1", secret: str = CALLBACK_SECRET) -> dict[str, str]:
    return callback_headers(body, secret=secret, message_id=message_id, at=datetime.now(UTC))


@pytest.mark.parametrize("path", ["/webhook/xero", "/webhook/xero-invoice"])
@pytest.mark.parametrize("delivery", recorded("xero"), ids=lambda one: one.name)
def test_every_recorded_xero_delivery_gets_its_answer_and_is_kept(
    bridge: RunningBridge, ledger: TestLedger, delivery: RecordedDelivery, path: str
) -> None:
    answer = sent(bridge, delivery, path=path)
    assert answer.status_code == delivery.status
    assert answer.content == b""
    assert "set-cookie" not in answer.headers
    kept = only(ledger, "select * from zixly.deliveries")
    assert kept["verdict"] == VERDICTS[delivery.name]
    body = kept_request(ledger, kept["id"]).body if kept["verdict"] == "rejected" else bytes(kept["body"])
    assert body == delivery.body
    assert kept["status"] == delivery.status
    keys = [row["dedupe_key"] for row in rows(ledger, "select dedupe_key from zixly.events order by occurred_at")]
    assert keys == list(delivery.event_keys)


def test_a_delivery_for_two_organisations_makes_jobs_for_the_known_one_and_keeps_the_other(
    bridge: RunningBridge, ledger: TestLedger
) -> None:
    sent(bridge, recorded_one("xero", "04-mixed-batch-two-tenants"))
    outcomes = [row["outcome"] for row in rows(ledger, "select outcome from zixly.events order by occurred_at")]
    assert outcomes == ["jobs", "jobs", "unroutable", "jobs"]
    jobs = rows(ledger, "select tenant_id, id from zixly.workflow_jobs")
    assert {job["tenant_id"] for job in jobs} == {ledger.tenant.id}
    announced: set[UUID] = set()

    def are_announced() -> bool:
        announced.update(bridge.queues["xero"].queued_ids())
        return announced == {job["id"] for job in jobs}

    eventually(are_announced)


def test_the_same_delivery_a_hundred_times_at_once_makes_one_job(bridge: RunningBridge, ledger: TestLedger) -> None:
    delivery = recorded_one("xero", "03-invoice-update")

    async def all_at_once() -> list[int]:
        async with httpx2.AsyncClient(base_url=bridge.http.base_url, timeout=15) as http:
            posts = [http.post("/webhook/xero", content=delivery.body, headers=delivery.headers) for _ in range(100)]
            return [answer.status_code for answer in await asyncio.gather(*posts)]

    assert asyncio.run(all_at_once()) == [200] * 100
    assert only(ledger, "select count(*) as n from zixly.workflow_jobs")["n"] == 1
    verdicts = rows(ledger, "select verdict, count(*) as n from zixly.deliveries group by verdict order by verdict")
    assert [(row["verdict"], row["n"]) for row in verdicts] == [("accepted", 1), ("duplicate", 99)]
    made = only(ledger, "select sum(value)::int as n from zixly.job_counters where name = 'queued'")
    assert made["n"] == 1


def test_a_sender_that_may_see_them_gets_the_job_ids_and_the_same_ones_for_a_repeat(
    bridge: RunningBridge, ledger: TestLedger, sender: str
) -> None:
    body = callback_body()
    first = bridge.http.post(sender, content=body, headers=signed_callback(body))
    again = bridge.http.post(sender, content=body, headers=signed_callback(body))
    job = only(ledger, "select id, connection_id, record_key, record_id from zixly.workflow_jobs")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["job_ids"] == again.json()["job_ids"] == [str(job["id"])]
    assert (first.json()["verdict"], again.json()["verdict"]) == ("accepted", "duplicate")
    assert job["connection_id"] == ledger.tenant.xero
    assert job["record_key"] == f"xero:{ORGANISATION}:INVOICE:inv-1"
    assert rows(ledger, "select path from zixly.deliveries group by path") == [{"path": "callbacks/{token}"}]


def test_two_senders_may_use_the_same_message_id(bridge: RunningBridge, ledger: TestLedger, sender: str) -> None:
    """Otherwise a sender could swallow another's messages, and be told the ids of its jobs."""
    other = add_sender(ledger, "another-token")
    body = callback_body()
    headers = signed_callback(body)
    eventually(lambda: bridge.http.post(other, content=body, headers=headers).status_code == 202)
    answers = [bridge.http.post(path, content=body, headers=headers) for path in (sender, other)]
    assert [answer.json()["verdict"] for answer in answers] == ["accepted", "duplicate"]
    assert answers[0].json()["job_ids"] != answers[1].json()["job_ids"]


def test_an_account_authorised_a_moment_ago_is_known_at_once(bridge: RunningBridge, ledger: TestLedger) -> None:
    organisation = "11111111-2222-3333-4444-555555555555"
    eventually(lambda: posted(bridge, xero_body(xero_event(organisation))).status_code == 200)
    ledger.add_tenant("late", organisation=organisation)

    def is_routed() -> bool:
        posted(bridge, xero_body(xero_event(organisation)))
        return bool(rows(ledger, "select id from zixly.workflow_jobs"))

    eventually(is_routed, seconds=6)


@pytest.mark.parametrize(
    ("events", "verdict", "outcome"),
    [
        ([xero_event("nobody-authorised-this")], "unroutable", "unroutable"),
        ([xero_event(ORGANISATION, eventCategory="QUOTE", eventType="ARCHIVE")], "accepted", "filtered"),
        ([xero_event(ORGANISATION, eventCategory="Invoice", eventType="Update")], "accepted", "jobs"),
    ],
    ids=["unknown organisation", "unknown event type", "another casing"],
)
def test_what_we_do_not_act_on_is_kept_and_answered_with_success(
    bridge: RunningBridge, ledger: TestLedger, events: list[dict[str, object]], verdict: str, outcome: str
) -> None:
    assert posted(bridge, xero_body(*events)).status_code == 200
    assert only(ledger, "select verdict from zixly.deliveries")["verdict"] == verdict
    assert only(ledger, "select outcome from zixly.events")["outcome"] == outcome


@pytest.mark.parametrize(
    "body", [b"{not json", b"[]", b'{"events": [{}]}', b'{"events": "none"}', b"\xff\xfe", b'{"events":[{"a":"\\u0000"}]}']
)
def test_a_signed_body_that_cannot_be_read_is_kept_and_not_sent_again(bridge: RunningBridge, ledger: TestLedger, body: bytes) -> None:
    answer = posted(bridge, body)
    assert (answer.status_code, answer.content) == (200, b"")
    kept = only(ledger, "select id, verdict, reason from zixly.deliveries")
    assert (kept["verdict"], kept["reason"], kept_request(ledger, kept["id"]).body) == ("rejected", "malformed_payload", body)


def test_a_payload_with_a_zero_character_is_kept_whole(bridge: RunningBridge, ledger: TestLedger) -> None:
    """Postgres' jsonb refuses U+0000, and one such body must not fail everybody in its commit."""
    body = xero_body(xero_event(ORGANISATION, note="a\x00b"))
    assert posted(bridge, body).status_code == 200
    assert only(ledger, "select verdict from zixly.deliveries")["verdict"] == "accepted"


def test_a_payload_nested_too_deeply_is_kept_as_it_came_and_refused(bridge: RunningBridge, ledger: TestLedger, sender: str) -> None:
    body = b'{"type": "report.finished", "data": ' + b"[" * 400 + b"]" * 400 + b"}"
    assert bridge.http.post(sender, content=body, headers=signed_callback(body)).status_code == 400
    kept = only(ledger, "select id, verdict, reason from zixly.deliveries")
    assert (kept["verdict"], kept["reason"], kept_request(ledger, kept["id"]).body) == ("rejected", "not_storable", body)


def test_a_body_above_the_limit_is_refused_and_noted_without_it(bridge: RunningBridge, ledger: TestLedger) -> None:
    answer = bridge.http.post("/webhook/xero", content=b"x" * 10_000_001)
    assert answer.status_code == 413
    kept = only(ledger, "select verdict, reason, body from zixly.deliveries")
    assert (kept["verdict"], kept["reason"], bytes(kept["body"])) == ("rejected", "body_too_large", b"")


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(bridge: RunningBridge, ledger: TestLedger) -> None:
    def chunks() -> Any:
        for _ in range(110):
            yield b"x" * 100_000

    answer = bridge.http.post("/webhook/xero", content=chunks())
    assert answer.status_code == 413
    assert only(ledger, "select reason from zixly.deliveries")["reason"] == "body_too_large"


def test_xero_is_taken_whatever_content_type_it_claims_and_a_callback_is_not(
    bridge: RunningBridge, ledger: TestLedger, sender: str
) -> None:
    xero = xero_body(xero_event(ORGANISATION))
    headers = xero_headers(xero, key=XERO_KEY) | {"content-type": "text/plain"}
    assert bridge.http.post("/webhook/xero", content=xero, headers=headers).status_code == 200
    body = callback_body()
    headers = signed_callback(body) | {"content-type": "text/plain"}
    assert bridge.http.post(sender, content=body, headers=headers).status_code == 415
    refused = only(ledger, "select verdict, reason from zixly.deliveries where system = 'callbacks'")
    assert refused == {"verdict": "rejected", "reason": "content_type"}


@pytest.mark.parametrize("age_seconds", [-360, 360])
def test_a_callback_outside_five_minutes_is_refused(bridge: RunningBridge, ledger: TestLedger, sender: str, age_seconds: int) -> None:
    body = callback_body()
    at = datetime.fromtimestamp(datetime.now(UTC).timestamp() + age_seconds, UTC)
    headers = callback_headers(body, secret=CALLBACK_SECRET, message_id="msg_1", at=at)
    assert bridge.http.post(sender, content=body, headers=headers).status_code == 401
    assert only(ledger, "select reason from zixly.deliveries")["reason"] == "stale_timestamp"


def test_a_callback_to_a_path_that_nobody_has_is_refused(bridge: RunningBridge, ledger: TestLedger) -> None:
    body = callback_body()
    assert bridge.http.post("/webhook/callbacks/guessed", content=body, headers=signed_callback(body)).status_code == 401
    assert rows(ledger, "select id from zixly.events") == []


def test_paths_that_nothing_serves_are_told_so(bridge: RunningBridge) -> None:
    assert bridge.http.post("/webhook/unknown", content=b"{}").status_code == 404
    for path in ("/webhook/xero", "/webhook/xero-invoice", "/webhook/callbacks/some"):
        answer = bridge.http.get(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_flood_of_unsigned_requests_is_answered_and_counted_but_not_all_kept(bridge: RunningBridge, ledger: TestLedger) -> None:
    began = time.monotonic()
    answers = {bridge.http.post("/webhook/xero", content=b"{}").status_code for _ in range(260)}
    seconds = time.monotonic() - began
    assert answers == {401}
    kept = only(ledger, "select count(*)::int as n from zixly.deliveries")["n"]
    assert SOURCE.requests <= kept <= SOURCE.requests + SOURCE.requests_per_second * seconds
    text = bridge.http.get("/metrics").text
    assert f'webhook_rejected_not_kept_total{{system="xero"}} {260 - kept}.0' in text
    assert 'webhook_deliveries_total{system="xero",verdict="rejected"} 260.0' in text
    assert posted(bridge, xero_body(xero_event(ORGANISATION))).status_code == 200
    assert only(ledger, "select count(*)::int as n from zixly.deliveries where verdict = 'accepted'")["n"] == 1


def test_answers_carry_careful_headers_and_never_cookies(bridge: RunningBridge) -> None:
    for answer in (posted(bridge, xero_body()), bridge.http.get("/health"), bridge.http.get("/nothing")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
        assert "set-cookie" not in answer.headers
