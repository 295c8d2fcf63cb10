"""A run as a place in a trace: its log lines bear its ids, and what its ops call is called because of it.

The trace comes with the run's tags, so that no query is needed to know it. Ops are spans between the events with which Dagster tells
of their beginning and end: it works on the next event only when the one before has been looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from dagster import DagsterEvent, DagsterEventType, DagsterRun

from zixly_core.trace_context import TraceContext, new_span, span_of
from zixly_core.tracing import Kind, OpenSpan, Span, now_ns, record, spanned, stand_at, standing_at
from zixly_dagster.workflow import BATCH_TAG, SYSTEM_TAG, TENANT_ID_TAG, TRACE_TAG, WORKFLOW_TAG

STEP_ENDS = frozenset({DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE, DagsterEventType.STEP_SKIPPED})
# What the log lines of a run bear, by the tag that says it.
FIELDS = {"batch_id": BATCH_TAG, "tenant_id": TENANT_ID_TAG, "system": SYSTEM_TAG, "workflow": WORKFLOW_TAG}


class RunTrace:
    """The spans of one run."""

    def __init__(self, span: OpenSpan) -> None:
        self._span = span
        self._op: tuple[str, TraceContext, int] | None = None

    def see(self, event: DagsterEvent) -> None:
        """Begin or end the op that the event tells of: until its end what is done is done because of it."""
        if event.event_type is DagsterEventType.STEP_START:
            self._end_op(error=None)
            context = TraceContext(self._span.context.trace_id, new_span())
            self._op = (event.step_key or "", context, now_ns())
            stand_at(context)
        elif event.event_type in STEP_ENDS:
            self._end_op(error="step_failed" if event.event_type is DagsterEventType.STEP_FAILURE else None)

    def end(self, word: str, *, is_error: bool) -> None:
        """The run has come to its end, and this word tells how."""
        self._end_op(error=word if is_error else None)
        self._span.attributes["zixly.run.end"] = word
        self._span.error = word if is_error else None

    def _end_op(self, *, error: str | None) -> None:
        if self._op is None:
            return
        name, context, began = self._op
        self._op = None
        record(Span(f"op {name}", context, began, now_ns(), parent=self._span.context, attributes={"zixly.op": name}, error=error))
        stand_at(self._span.context)


@contextmanager
def traced(run: DagsterRun) -> Iterator[RunTrace]:
    """What is done inside is done by the run."""
    run_id, cause = UUID(run.run_id), cause_of(run)
    here = TraceContext(cause.trace_id if cause else run_id, span_of(run_id))
    fields = {name: run.tags[tag] for name, tag in FIELDS.items() if tag in run.tags}
    with (
        structlog.contextvars.bound_contextvars(run_id=run.run_id, **fields),
        spanned(f"run {run.job_name}", kind=Kind.CONSUMER, at=here, parent=cause, attributes=facts_of(run)) as span,
        standing_at(here),
    ):
        yield RunTrace(span)


def cause_of(run: DagsterRun) -> TraceContext | None:
    """The handing over of the run's batch; None for a run of another kind, which begins a trace of its own."""
    trace, batch = run.tags.get(TRACE_TAG), run.tags.get(BATCH_TAG)
    try:
        return TraceContext(UUID(hex=trace), span_of(UUID(batch))) if trace and batch else None
    except ValueError:  # a run that somebody launched by hand, with tags of his own
        return None


def facts_of(run: DagsterRun) -> dict[str, Any]:
    tags = {"zixly.batch.id": BATCH_TAG, "zixly.tenant.id": TENANT_ID_TAG, "zixly.workflow": WORKFLOW_TAG, "zixly.system": SYSTEM_TAG}
    return {"zixly.run.id": run.run_id, **{name: run.tags[tag] for name, tag in tags.items() if tag in run.tags}}
