"""One trace from a signed delivery to the calls at the vendors: on log lines, in what vendors are sent, and as spans of one tree."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog
from dagster import reconstructable
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.bridge.running import XERO_KEY, RunningBridge, settings_for, start_bridge
from tests.integration.workflows.conftest import ONE_BATCH, WORKFLOW, Stage
from tests.integration.workflows.job_functions import JOBS
from tests.support.definitions import dagster_without_warnings
from tests.support.deliveries import xero_body, xero_event, xero_headers
from tests.support.otlp import Collector, collector
from zixly_core.batching import Batch
from zixly_core.dispatcher import Dispatcher
from zixly_core.observing import observe
from zixly_core.settings import Settings
from zixly_core.tracing import stop_recording
from zixly_dagster.instance import run_in_worker
from zixly_dagster.sensors.dispatch import run_request
from zixly_sandbox.constants import DEMO, OPEN_INVOICE, PAID_INVOICE

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SENDER_SPAN = "00f067aa0ba902b7"
OURS = ("delivery_id", "job_id", "batch_id", "run_id")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What all processes write, as JSON."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    yield stream
    stop_recording()
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers, root.level = handlers, level


@pytest.fixture
def told(lines: io.StringIO) -> Iterator[Collector]:
    """A collector that this process, which is bridge, code server and worker at once, tells its spans to."""
    with collector() as found:
        observe(Settings(otlp_url=found.url), process="all-1", stream=lines)
        yield found


@pytest.fixture
def bridge(stage: Stage, told: Collector) -> Iterator[RunningBridge]:
    running = start_bridge(settings_for(stage.database))
    yield running
    running.stop()


def deliver(bridge: RunningBridge, *records: str, **headers: str) -> UUID:
    """A signed delivery about these invoices; its id."""
    body = xero_body(*(xero_event(DEMO.organisation, resourceId=record) for record in records))
    answer = bridge.http.post("/webhook/xero", content=body, headers={**xero_headers(body, key=XERO_KEY), **headers})
    assert answer.status_code == 200
    return UUID(answer.headers["x-request-id"])


def run_what_is_due(stage: Stage, bridge: RunningBridge, monkeypatch: pytest.MonkeyPatch) -> tuple[Batch, str]:
    """The batch that the dispatcher hands over, and its run, executed as a worker does."""
    dispatcher = Dispatcher(system="xero", queue=bridge.queues["xero"], database=stage.ledger.dispatch, limits=ONE_BATCH)
    (batch,) = dispatcher.tick().batches
    request = run_request(batch)
    with dagster_without_warnings():
        job = reconstructable(JOBS[batch.workflow])
        run = stage.instance.create_run_for_job(
            job.get_definition(), run_config=dict(request.run_config), tags=dict(request.tags), job_code_origin=job.get_python_origin()
        )
        monkeypatch.setattr(run_in_worker, "_instances", {os.getpid(): stage.instance})
        assert run_in_worker.run_in_worker(run.run_id) == "success"
    return batch, run.run_id


def written(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def ancestors(span: Span, spans: dict[bytes, Span]) -> list[str]:
    names = []
    while span.parent_span_id in spans:
        span = spans[span.parent_span_id]
        names.append(span.name)
    return names


def test_a_senders_trace_goes_from_the_receipt_to_the_vendors(
    stage: Stage, bridge: RunningBridge, told: Collector, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = deliver(bridge, PAID_INVOICE, traceparent=f"00-{TRACE}-{SENDER_SPAN}-00", tracestate="rojo=1")
    batch, run_id = run_what_is_due(stage, bridge, monkeypatch)
    bridge.stop()
    stop_recording()
    (job,) = stage.jobs()

    sent = stage.sandbox.traceparents
    assert sent
    assert {one.split("-")[1] for one in sent} == {TRACE}

    of_it = [
        line for line in written(lines) if {str(line.get(name)) for name in OURS} & {str(delivery), str(job["id"]), str(batch.id), run_id}
    ]
    assert {"deliveries_committed", "batch_handed_over", "job_settled", "run_ended"} <= {line["event"] for line in of_it}
    assert {line["trace_id"] for line in of_it} == {TRACE}

    assert {span.trace_id.hex() for span in told.spans} == {TRACE}
    spans = {span.span_id: span for span in told.spans}
    outside = {span.parent_span_id.hex() for span in told.spans if span.parent_span_id not in spans}
    assert outside == {SENDER_SPAN}, "all but the first are children of ours"
    received = told.named("POST /webhook/xero")
    assert (received.trace_state, received.kind) == ("rojo=1", Span.SPAN_KIND_SERVER)
    read = told.named("GET /Invoices")
    assert ancestors(read, spans)[1:] == [
        f"run {batch.workflow.replace('-', '_')}",
        f"hand over {WORKFLOW}",
        f"create {WORKFLOW}",
        "POST /webhook/xero",
    ]
    assert {span.span_id.hex() for span in told.spans if span.kind == Span.SPAN_KIND_CLIENT} == {one.split("-")[2] for one in sent}
    assert {"commit", "send xero", "process job", "op claim_jobs"} <= {span.name for span in told.spans}


def test_jobs_of_several_traces_are_worked_on_in_one_of_their_own_which_each_of_theirs_names(
    stage: Stage, bridge: RunningBridge, told: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliveries = [deliver(bridge, record) for record in (PAID_INVOICE, OPEN_INVOICE)]
    batch, run_id = run_what_is_due(stage, bridge, monkeypatch)
    bridge.stop()
    stop_recording()
    handed_over = told.named(f"hand over {WORKFLOW}")
    assert handed_over.trace_id.hex() == batch.id.hex
    assert {link.trace_id.hex() for link in handed_over.links} == {one.hex for one in deliveries}
    worked_on = [span for span in told.spans if span.name == "process job"]
    assert {span.trace_id.hex() for span in worked_on} == {one.hex for one in deliveries}
    run = told.named(f"run {WORKFLOW.replace('-', '_')}")
    assert {link.span_id for span in worked_on for link in span.links} == {run.span_id}
    assert run.span_id.hex() == UUID(run_id).hex[16:]
    assert {one.split("-")[1] for one in stage.sandbox.traceparents} == {batch.id.hex}


def test_no_span_tells_what_a_delivery_or_a_vendor_said(
    stage: Stage, bridge: RunningBridge, told: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(bridge, PAID_INVOICE, **{"x-planted": "planted-secret"})
    run_what_is_due(stage, bridge, monkeypatch)
    bridge.stop()
    stop_recording()
    everything = b"".join(told.bodies)
    customer = stage.sandbox.books.invoices[PAID_INVOICE].contact
    for planted in (PAID_INVOICE, customer.email, customer.name, "planted-secret", "sandbox-secret", XERO_KEY):
        assert planted.encode() not in everything, planted
