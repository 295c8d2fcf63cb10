from __future__ import annotations

import time

import pytest

from tests.integration.bridge.cuttable import CuttableLine
from tests.integration.bridge.running import XERO_KEY, RunningBridge, eventually
from tests.support.busy import longest
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, TestLedger


def status_of_post(bridge: RunningBridge, body: bytes) -> int:
    return bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY)).status_code


def jobs(ledger: TestLedger) -> int:
    row = ledger.owner.execute("select count(*)::int as n from zixly.workflow_jobs").fetchone()
    assert row is not None
    count: int = row["n"]
    return count


def test_a_queue_that_is_away_costs_no_delivery(bridge: RunningBridge, ledger: TestLedger) -> None:
    bridge.queues["xero"].is_off = True
    assert {status_of_post(bridge, xero_body(xero_event(ORGANISATION))) for _ in range(10)} == {200}
    assert jobs(ledger) == 10
    eventually(lambda: 'queue_send_failures_total{system="xero"}' in bridge.http.get("/metrics").text)
    ready = bridge.http.get("/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert {"name": "queue-xero", "ok": False, "needed": False, "reason": "queue_unavailable"} in ready.json()["checks"]


def test_a_repeat_of_a_delivery_whose_jobs_never_got_queued_queues_them(bridge: RunningBridge, ledger: TestLedger) -> None:
    body = xero_body(xero_event(ORGANISATION))
    bridge.queues["xero"].is_off = True
    assert status_of_post(bridge, body) == 200
    bridge.queues["xero"].is_off = False
    assert status_of_post(bridge, body) == 200
    eventually(lambda: len(bridge.queues["xero"].queued_ids()) == 1)
    assert jobs(ledger) == 1


def test_without_postgres_a_sender_is_told_to_come_back_and_is_taken_afterwards(
    cut_off_bridge: RunningBridge, ledger: TestLedger, line: CuttableLine
) -> None:
    body = xero_body(xero_event(ORGANISATION))
    line.cut()
    for _ in range(3):
        answer = cut_off_bridge.http.post("/webhook/xero", content=body, headers=xero_headers(body, key=XERO_KEY))
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
    assert cut_off_bridge.http.get("/health").status_code == 200
    ready = cut_off_bridge.http.get("/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "unready")
    assert 'pipeline_scrape_ok{source="postgres"} 0.0' in cut_off_bridge.http.get("/metrics").text
    line.mend()
    eventually(lambda: status_of_post(cut_off_bridge, body) == 200, seconds=15)
    assert jobs(ledger) == 1


def test_when_postgres_stands_still_the_answer_comes_within_five_seconds_and_is_no_success(
    cut_off_bridge: RunningBridge, ledger: TestLedger, line: CuttableLine
) -> None:
    body = xero_body(xero_event(ORGANISATION))
    assert status_of_post(cut_off_bridge, xero_body(xero_event(ORGANISATION))) == 200
    line.freeze()
    began = time.monotonic()
    assert status_of_post(cut_off_bridge, body) == 503
    assert time.monotonic() - began < longest(5)
    line.thaw()
    eventually(lambda: status_of_post(cut_off_bridge, body) == 200, seconds=15)
    assert jobs(ledger) == 2


@pytest.mark.parametrize("path", ["/webhook/jobs/01a204a7-e85f-70ac-a30d-b407d7379ec7", "/api/jobs"])
def test_the_api_says_that_postgres_is_away(cut_off_bridge: RunningBridge, line: CuttableLine, path: str) -> None:
    line.cut()
    answer = cut_off_bridge.http.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (503, "store_unavailable")
