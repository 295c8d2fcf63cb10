"""What became of a run's jobs, as log lines and spans: one for each job, in the job's own trace."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from zixly_core.job import Failed, JobEnd
from zixly_core.job_spans import tell_worked_on
from zixly_core.stores.settle import Settled
from zixly_core.trace_context import TraceContext, span_of
from zixly_core.tracing import here

log = structlog.get_logger()


def tell_settled(ends: Sequence[JobEnd], settled: Settled, *, run_id: str) -> None:
    """One line and one span for each job whose end was written, or whose wait was."""
    current = here()
    run = TraceContext(current.trace_id, span_of(UUID(run_id))) if current else None
    for one in ends:
        status = settled.statuses.get(one.job.id)
        if status is None:
            log.warning("job_in_other_hands", job_id=one.job.id, run_id=run_id)
            continue
        job, reason = one.job, one.end.reason if isinstance(one.end, Failed) else None
        known = {"delivery_id": job.delivery_id, "reason": reason}
        log.info(
            "job_settled",
            job_id=job.id,
            trace_id=job.trace.trace_id.hex,
            run_id=run_id,
            tenant_id=job.tenant_id,
            status=status.value,
            attempt=job.attempts,
            **{name: value for name, value in known.items() if value is not None},
        )
        tell_worked_on(job, status=status, reason=reason, run=run)
