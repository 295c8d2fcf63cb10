"""Spans for an OpenTelemetry collector, sent by OTLP over HTTP. Imported only where ZIXLY_OTLP_URL is set.

What tells a span puts it into a bounded queue and goes on; a thread sends what has come up. A collector that is away costs spans
and nothing else, and a line at most once a minute. The SDK's exporter and data types are used, but not its tracer: our spans have ids
that follow from our own (trace_context.py), and some are told by another process than the one that names them.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

import requests
import structlog
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from zixly_core.span_attributes import told_attributes
from zixly_core.trace_context import TraceContext, is_among
from zixly_core.tracing import Span

MOST_WAITING = 8_192  # spans; about 8 MB, and two seconds of a burst
AT_ONCE = 512
GATHER_SECONDS = 1.0
# The exporter tries again within this time.
PATIENCE_SECONDS = 5.0
QUIET_SECONDS = 60.0
STOP_SECONDS = 2.0
SCOPE = InstrumentationScope("zixly")
SAMPLED = TraceFlags(TraceFlags.SAMPLED)

log = structlog.get_logger()


class Sends(Protocol):
    """What is used of the SDK's exporter."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult: ...


class OtlpRecorder:
    """Takes spans of the traces that are recorded and sends them from a thread of its own, one for each process."""

    def __init__(self, exporter: Sends, *, resource: Resource, ratio: float = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._exporter = exporter
        self._resource = resource
        self._ratio = ratio
        self._clock = clock
        self._waiting: deque[Span] = deque()
        self._lost = 0
        self._told_at: float | None = None
        self._is_over = False
        self._start_anew()
        os.register_at_fork(after_in_child=self._forget)

    def wants(self, trace_id: UUID) -> bool:
        return is_among(trace_id, ratio=self._ratio)

    def keep(self, span: Span) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._lost += 1
            return
        self._waiting.append(span)
        if self._thread is None:
            self._begin()
        if len(self._waiting) >= AT_ONCE:
            self._wake.set()

    def close(self) -> None:
        """Send what waits, for at most a moment."""
        self._is_over = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def _forget(self) -> None:
        """In a child after a fork: the thread is the parent's, and so is what waits."""
        self._waiting.clear()
        self._start_anew()

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_now_and_then, name="otlp", daemon=True)
                self._thread.start()

    def _send_now_and_then(self) -> None:
        while not self._is_over:
            self._wake.wait(GATHER_SECONDS)
            self._wake.clear()
            self._send_all()
        self._send_all()  # what came between the last look and the end

    def _send_all(self) -> None:
        while self._waiting:
            self._send()
        self._tell_losses()

    def _send(self) -> None:
        spans = [self._waiting.popleft() for _ in range(min(len(self._waiting), AT_ONCE))]
        try:
            result = self._exporter.export([self._told(one) for one in spans])
        except Exception:  # whatever is wrong with it, it is only about spans
            result = SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            self._tell_losses()

    def _tell_losses(self) -> None:
        now = self._clock()
        if self._lost and (self._told_at is None or now - self._told_at >= QUIET_SECONDS):
            log.warning("spans_lost", spans=self._lost)
            self._told_at, self._lost = now, 0

    def _told(self, span: Span) -> ReadableSpan:
        attributes = told_attributes(span.attributes)
        if span.error is not None:
            attributes["error.type"] = span.error
        return ReadableSpan(
            name=span.name,
            context=context_of(span.context, state=span.state),
            parent=context_of(span.parent) if span.parent else None,
            resource=self._resource,
            attributes=attributes,
            links=[Link(context_of(one)) for one in span.links],
            kind=SpanKind[span.kind.value],
            status=Status(StatusCode.ERROR if span.error else StatusCode.UNSET),
            start_time=span.began_ns,
            end_time=max(span.ended_ns, span.began_ns),
            instrumentation_scope=SCOPE,
        )


def context_of(context: TraceContext, *, state: str = "") -> SpanContext:
    trace_state = TraceState.from_header([state]) if state else None
    return SpanContext(context.trace_id.int, context.span_id, is_remote=False, trace_flags=SAMPLED, trace_state=trace_state)


def recorder_to(url: str, *, headers: dict[str, str], process: str, environment: str, ratio: float) -> OtlpRecorder:
    """The recorder of this process. The exporter's own lines are left out: there would be one for each try."""
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    session = requests.Session()
    session.trust_env = False  # no proxy and no password file of the environment, as with our other calls
    exporter = OTLPSpanExporter(endpoint=url, headers=headers, timeout=PATIENCE_SECONDS, compression=Compression.Gzip, session=session)
    facts = {"service.name": f"zixly-{kind_of(process)}", "service.instance.id": process, "deployment.environment.name": environment}
    return OtlpRecorder(exporter, resource=Resource(facts), ratio=ratio)


def kind_of(process: str) -> str:
    """`worker` for `worker-2`: the service is the kind of process, its instances have names."""
    return process.rstrip("0123456789").rstrip("-")
