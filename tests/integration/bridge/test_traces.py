"""A sender's trace over real HTTP and Postgres: taken up, kept with what the delivery becomes, and found by."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.integration.bridge.running import XERO_KEY, RunningBridge
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.ledger import ORGANISATION, TestLedger
from zixly_core.stores.handover import HandoverLimits

TRACE = UUID("4bf92f35-77b3-4da6-a3ce-929d0e0e4736")


def send(bridge: RunningBridge, record: str, **headers: str) -> Any:
    body = xero_body(xero_event(ORGANISATION, resourceId=record))
    answer = bridge.http.post("/webhook/xero", content=body, headers={**xero_headers(body, key=XERO_KEY), **headers})
    assert answer.status_code == 200
    return answer


def kept(ledger: TestLedger) -> list[tuple[UUID, UUID | None, UUID | None, UUID | None]]:
    rows = ledger.owner.execute(
        "select d.id, d.trace_id as of_delivery, e.trace_id as of_event, j.trace_id as of_job from zixly.deliveries d"
        " join zixly.events e on e.delivery_id = d.id join zixly.workflow_jobs j on j.event_id = e.id order by d.id"
    )
    return [(row["id"], row["of_delivery"], row["of_event"], row["of_job"]) for row in rows]


def test_the_trace_that_a_sender_names_goes_with_its_delivery_its_events_and_their_jobs(bridge: RunningBridge, ledger: TestLedger) -> None:
    send(bridge, "inv-1", traceparent=f"00-{TRACE.hex}-00f067aa0ba902b7-01")
    ((_, *traces),) = kept(ledger)
    assert traces == [TRACE, TRACE, TRACE]
    (batch,) = ledger.hand_over()
    assert batch.trace_id == TRACE
    (job,) = ledger.claim(ledger.run_of(batch, "run-1"))
    assert job.trace.trace_id == TRACE


def test_without_a_trace_that_can_be_read_the_delivery_begins_one_which_has_the_id_of_the_request(
    bridge: RunningBridge, ledger: TestLedger
) -> None:
    answer = send(bridge, "inv-1", traceparent=f"00-{'0' * 32}-00f067aa0ba902b7-01")
    ((delivery, *traces),) = kept(ledger)
    assert traces == [None, None, delivery]
    assert answer.headers["x-request-id"] == delivery.hex


def test_jobs_of_several_traces_are_handed_over_in_a_trace_of_the_batch_that_names_theirs(
    bridge: RunningBridge, ledger: TestLedger
) -> None:
    for number in range(3):
        send(bridge, f"inv-{number}")
    (batch,) = ledger.hand_over(limits=HandoverLimits(max_open_batches=8, slots=1, max_batch=80))
    assert batch.trace_id == batch.id
    assert sorted(one.trace_id for one in batch.traces) == sorted(delivery for delivery, *_ in kept(ledger))


def test_a_trace_is_found_by_the_id_as_the_header_writes_it(bridge: RunningBridge, ledger: TestLedger) -> None:
    send(bridge, "inv-1", traceparent=f"00-{TRACE.hex}-00f067aa0ba902b7-01")
    send(bridge, "inv-2", traceparent=f"00-{TRACE.hex}-00f067aa0ba902b7-01")
    send(bridge, "inv-3")
    found = bridge.http.get(f"/api/trace/{TRACE.hex}").json()
    assert (found["kind"], found["job_count"]) == ("trace", 2)
    assert {one["trace_id"] for one in (*found["deliveries"], *found["jobs"])} == {TRACE.hex}


def test_a_refused_delivery_is_found_by_its_trace(bridge: RunningBridge) -> None:
    body = xero_body(xero_event(ORGANISATION))
    headers = {**xero_headers(body, key="wrong"), "traceparent": f"00-{TRACE.hex}-00f067aa0ba902b7-01"}
    assert bridge.http.post("/webhook/xero", content=body, headers=headers).status_code == 401
    found = bridge.http.get(f"/api/trace/{TRACE.hex}").json()
    assert (found["kind"], [one["verdict"] for one in found["deliveries"]], found["jobs"]) == ("trace", ["rejected"], [])
