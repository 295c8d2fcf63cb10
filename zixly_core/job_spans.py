"""The spans of a job's life that several programs tell: made, handed over, worked on.

Each has an id that follows from job, batch or run, so that the next program can name it as its cause without being told.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from zixly_core.batching import Batch
from zixly_core.job import ClaimedJob, JobStatus
from zixly_core.trace_context import TraceContext, new_span, span_of
from zixly_core.tracing import Kind, Span, here, is_recorded, now_ns, record

# A burst's batch has up to 100 jobs; what links a span is bounded by OpenTelemetry to 128.
MOST_LINKS = 100


def tell_made(job_id: UUID, *, workflow: str, because_of: TraceContext | None = None, links: Sequence[TraceContext] = ()) -> None:
    """A job was made because of a delivery or another job; without such a cause it begins a trace, which leads to where we stand."""
    context = TraceContext(because_of.trace_id if because_of else job_id, span_of(job_id))
    if not is_recorded(context.trace_id):
        return
    now, current = now_ns(), here()
    facts = {"messaging.system": "zixly", "messaging.operation.type": "create", "zixly.job.id": job_id, "zixly.workflow": workflow}
    all_links = [*links, *([current] if current and current.trace_id != context.trace_id else [])]
    record(Span(f"create {workflow}", context, now, now, Kind.PRODUCER, because_of, facts, all_links))


def place_of(batch: Batch) -> TraceContext:
    """The handing over of a batch, which its run is a child of."""
    return TraceContext(batch.trace_id, span_of(batch.id))


def tell_handed_over(batch: Batch, *, began_ns: int) -> None:
    """A batch was handed over: because of its first job where all are of one trace, else in a trace of its own that names theirs."""
    context = place_of(batch)
    if not is_recorded(context.trace_id):
        return
    is_shared = bool(batch.traces) and batch.traces[0].trace_id == context.trace_id
    facts = {
        "messaging.system": "zixly",
        "messaging.operation.type": "receive",
        "messaging.destination.name": batch.system,
        "messaging.batch.message_count": len(batch.job_ids),
        "zixly.batch.id": batch.id,
        "zixly.tenant.id": batch.tenant_id,
        "zixly.workflow": batch.workflow,
        "zixly.lane": batch.lane,
    }
    parent, links = (batch.traces[0], batch.traces[1:]) if is_shared else (None, batch.traces)
    record(Span(f"hand over {batch.workflow}", context, began_ns, now_ns(), Kind.CONSUMER, parent, facts, links[:MOST_LINKS]))


def tell_worked_on(job: ClaimedJob, *, status: JobStatus, reason: str | None, run: TraceContext | None) -> None:
    """An attempt at a job has ended: a span in the job's own trace, from its claim, which names the run."""
    made = job.trace
    if not is_recorded(made.trace_id):
        return
    facts = {
        "messaging.system": "zixly",
        "messaging.operation.type": "process",
        "zixly.job.id": job.id,
        "zixly.job.attempt": job.attempts,
        "zixly.job.status": status,
        "zixly.reason": reason,
    }
    began = int(job.started_at.timestamp() * 1_000_000_000)
    context = TraceContext(made.trace_id, new_span())
    links = (run,) if run else ()
    record(Span("process job", context, began, now_ns(), Kind.CONSUMER, made, facts, links, error=reason))
