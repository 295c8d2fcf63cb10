"""One trace through the processes of the running stack, as a collector of OpenTelemetry is told it: from a sender's request through
bridge, code server and worker to the calls at the vendors."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import httpx2
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.otlp import Collector
from tests.support.stack import StackUnderTest
from zixly_cli.deliveries import sample_maker
from zixly_cli.seed import DEMO

# Nothing waits for the collector: processes pass on what they hold every few seconds.
TOLD_SECONDS = 60


def test_one_trace_leads_from_the_receipt_through_every_process_to_the_vendors_call(running_stack: StackUnderTest, told: Collector) -> None:
    running_stack.wait_until_all_jobs_ended()  # a run of several jobs belongs to the trace of one of them
    trace, senders_span = secrets.token_hex(16), secrets.token_hex(8)
    seed = {"organisation": DEMO.organisation, "customers": 1, "invoices": 1, "paid_percent": 100, "only_sales": True}
    url = f"{running_stack.plan.urls.sandbox}/_sandbox/seed"
    (invoice,) = httpx2.post(url, json=seed, timeout=30, trust_env=False).raise_for_status().json()["invoice_ids"]
    key = running_stack.plan.secrets.xero_webhook_key
    delivery = sample_maker("xero")([invoice], account=DEMO.organisation, key=key, now=datetime.now(UTC))
    headers = {**delivery.headers, "traceparent": f"00-{trace}-{senders_span}-01"}
    bridge = f"{running_stack.plan.urls.bridge}/webhook/{delivery.path}"
    httpx2.post(bridge, content=delivery.body, headers=headers, timeout=30, trust_env=False).raise_for_status()

    def of_it() -> dict[bytes, Span]:
        return {span.span_id: span for span in told.spans if span.trace_id.hex() == trace}

    def whole() -> Span | None:
        return next(
            (span for span in of_it().values() if span.name == "GET /Invoices" and way(span, of_it())[-1:] == ["POST /webhook/xero"]), None
        )

    call = running_stack.wait_until(whole, seconds=TOLD_SECONDS, words="the call at the vendor is told, and all that led to it")
    spans = of_it()
    workflow = "xero-invoice-to-hubspot"
    assert way(call, spans)[1:] == [
        f"run {workflow.replace('-', '_')}",
        f"hand over {workflow}",
        f"create {workflow}",
        "POST /webhook/xero",
    ]
    (received,) = [span for span in spans.values() if span.name == "POST /webhook/xero"]
    assert received.parent_span_id.hex() == senders_span
    services, on_its_way = told.services, [call.span_id, *(one.span_id for one in causes(call, spans))]
    assert [services[one] for one in on_its_way] == [*["zixly-worker"] * 3, "zixly-code", *["zixly-bridge"] * 2]


def way(span: Span, spans: dict[bytes, Span]) -> list[str]:
    return [one.name for one in causes(span, spans)]


def causes(span: Span, spans: dict[bytes, Span]) -> list[Span]:
    """What led to it, nearest first."""
    found = []
    while span.parent_span_id in spans:
        span = spans[span.parent_span_id]
        found.append(span)
    return found
