"""Spans on their way to a collector: nothing waits for it, what is lost is told once a minute, and only what may be told is."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from pydantic import SecretStr
from structlog.testing import capture_logs

from zixly_core import otlp, tracing
from zixly_core.errors import SettingsError, StoreUnavailable
from zixly_core.ids import new_id
from zixly_core.observing import observe, traces_url
from zixly_core.settings import Settings
from zixly_core.span_attributes import told_attributes
from zixly_core.trace_context import TraceContext, new_span
from zixly_core.tracing import Kind, Span, here, record, record_to, spanned, standing_at


class Exporter:
    """Keeps what it is given, or fails, or does not come back until it is let go."""

    def __init__(self, result: SpanExportResult | Exception = SpanExportResult.SUCCESS) -> None:
        self.result = result
        self.spans: list[ReadableSpan] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.go_on.wait(10)
        self.spans += spans
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture(autouse=True)
def nobody_records() -> Iterator[None]:
    yield
    record_to(None)
    structlog.contextvars.clear_contextvars()


def recorder_of(exporter: Exporter, **options: Any) -> otlp.OtlpRecorder:
    recorder = otlp.OtlpRecorder(exporter, resource=Resource({}), **options)
    record_to(recorder)
    return recorder


def span(name: str = "one") -> Span:
    return Span(name, TraceContext(new_id(), new_span()), 1, 2)


def test_spans_within_spans_are_a_tree() -> None:
    exporter = Exporter()
    recorder = recorder_of(exporter)
    with spanned("outer", kind=Kind.CONSUMER) as outer, spanned("inner") as inner:
        assert here() == inner.context
    recorder.close()
    told = {one.name: one for one in exporter.spans}
    assert (told["outer"].parent, told["inner"].parent.span_id) == (None, outer.context.span_id)
    assert told["inner"].context.trace_id == outer.context.trace_id.int
    assert told["outer"].kind.name == "CONSUMER"


def test_an_error_is_told_by_its_word_alone() -> None:
    exporter = Exporter()
    recorder = recorder_of(exporter)
    with pytest.raises(StoreUnavailable), spanned("ours"):
        raise StoreUnavailable("person@example.test", reason="store_away")
    with pytest.raises(ValueError, match="person"), spanned("another's"):
        raise ValueError("person@example.test")
    recorder.close()
    assert [one.attributes["error.type"] for one in exporter.spans] == ["store_away", "ValueError"]
    assert "person" not in repr([one.to_json() for one in exporter.spans])


def test_what_comes_while_the_recorder_ends_is_sent_too() -> None:
    """A span that ended just after everything was sent, and just before the thread saw that it is over."""
    exporter, looks = Exporter(), itertools.count()

    def clock() -> float:
        if next(looks) == 0:
            record(span("last"))
            recorder._is_over = True
        return 0.0

    recorder = recorder_of(exporter, clock=clock)
    record(span("first"))
    recorder._wake.set()
    assert recorder._thread is not None
    recorder._thread.join(10)
    assert [one.name for one in exporter.spans] == ["first", "last"]


def test_nobody_waits_for_a_collector_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "AT_ONCE", 1)
    monkeypatch.setattr(otlp, "MOST_WAITING", 10)
    monkeypatch.setattr(otlp, "STOP_SECONDS", 0.05)
    exporter = Exporter()
    exporter.go_on.clear()
    recorder = recorder_of(exporter)
    began = time.monotonic()
    for _ in range(1000):
        record(span())
    recorder.close()
    assert time.monotonic() - began < 5
    assert len(recorder._waiting) <= 10
    assert recorder._lost >= 980
    exporter.go_on.set()
    assert recorder._thread is not None
    recorder._thread.join(10)  # it tells of what was lost, and the next test reads the log


@pytest.mark.parametrize("result", [SpanExportResult.FAILURE, ConnectionError("10.0.0.1")])
def test_what_is_lost_is_told_once_a_minute(result: SpanExportResult | Exception) -> None:
    now = [0.0]
    recorder = recorder_of(Exporter(result), clock=lambda: now[0])
    with capture_logs() as lines:
        for second in (0, 1, 59, 61):
            now[0] = second
            recorder._waiting.extend([span(), span()])
            recorder._send()
    assert lines == [
        {"event": "spans_lost", "log_level": "warning", "spans": 2},
        {"event": "spans_lost", "log_level": "warning", "spans": 6},
    ]


def test_a_part_of_the_traces_is_recorded() -> None:
    exporter = Exporter()
    recorder = recorder_of(exporter, ratio=0.5)
    chosen = [one for one in (span() for _ in range(200)) if recorder.wants(one.context.trace_id)]
    assert 50 < len(chosen) < 150
    for one in chosen:
        record(one)
    recorder.close()
    assert len(exporter.spans) == len(chosen)


def test_only_known_attributes_are_told_and_only_values_that_are_words_ids_and_numbers() -> None:
    told = told_attributes(
        {
            "zixly.workflow": "xero-invoice-to-hubspot",
            "zixly.job.attempt": 2,
            "zixly.reason": "Bearer abcdefghijklmnop",
            "zixly.op": SecretStr("planted"),
            "zixly.lane": b"planted",
            "zixly.system": {"email": "planted"},
            "zixly.verdict": None,
            "customer.email": "planted",
            "url.template": "x" * 500,
        }
    )
    assert told == {
        "zixly.workflow": "xero-invoice-to-hubspot",
        "zixly.job.attempt": 2,
        "zixly.reason": "Bearer **********",
        "url.template": "x" * 120,
    }


def test_the_place_is_known_though_nobody_records_and_log_lines_bear_it() -> None:
    place = TraceContext(new_id(), new_span())
    with standing_at(place):
        assert here() == place
        assert structlog.contextvars.get_contextvars()["trace_id"] == place.trace_id.hex
        with spanned("call") as call:
            assert call.context.trace_id == place.trace_id
    assert here() is None
    assert "trace_id" not in structlog.contextvars.get_contextvars()


@pytest.mark.parametrize(
    ("url", "full"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("https://collector.example/", "https://collector.example/v1/traces"),
        ("https://collector.example/otlp/v1/traces", "https://collector.example/otlp/v1/traces"),
    ],
)
def test_spans_go_to_the_usual_path_unless_another_is_named(url: str, full: str) -> None:
    assert traces_url(url) == full


@pytest.mark.parametrize(
    "url", ["collector:4318", "ftp://collector", "http://", "http://user:secret@collector", "http://[", "http://c/?key=1"]
)
def test_an_address_that_is_none_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_OTLP_URL is wrong") as told:
        observe(Settings(otlp_url=url), process="bridge")
    assert "secret" not in str(told.value)


def test_without_the_extra_the_start_stops_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zixly_core.otlp", None)
    with pytest.raises(SettingsError, match="its extra `tracing`"):
        observe(Settings(otlp_url="http://127.0.0.1:4318"), process="bridge")


def test_without_a_collector_opentelemetry_is_not_imported() -> None:
    """Its SDK and exporter, that is: redis imports the API where it is installed."""
    code = (
        "import sys, webhook_bridge.app, zixly_core.vendor_clients, zixly_dagster.instance.run_in_worker\n"
        "from zixly_core.observing import observe\n"
        "from zixly_core.settings import Settings\n"
        "observe(Settings(), process='worker-1')\n"
        "sys.exit(sorted(name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_is_recorded_after_the_end() -> None:
    exporter = Exporter()
    recorder_of(exporter)
    record(span())
    tracing.stop_recording()
    record(span())
    assert len(exporter.spans) == 1
