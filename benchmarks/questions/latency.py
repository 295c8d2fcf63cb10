"""How soon? From the moment a delivery is sent to its job's first op, and to the job's end, at a fixed rate.

The rate is an open loop: a delivery does not wait for the ones before it. A job that has not come that far when the patience is
over counts as slower than all that have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.deliveries import send_all
from benchmarks.errors import NotMeasured
from benchmarks.figures import percentile
from benchmarks.instance import Instance
from benchmarks.ledger import JobRow, ended_jobs, refuse_unfinished
from benchmarks.progress import Say, counted
from benchmarks.sandbox import paid_invoices
from benchmarks.scale import Scale

PERCENTS = (50, 95)


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`first_op_p50_s`, `first_op_p95_s`, `completed_p50_s`, `completed_p95_s`, with `stock_` before them for the stock instance.

    Raises `NotMeasured` when one of our jobs does not end COMPLETED. The stock instance may fall behind: that is its figure.
    """
    urls = instance.stack.plan.urls
    count = round(scale.latency_seconds * scale.deliveries_per_second)
    invoices = paid_invoices(urls.sandbox, count=count)
    say(f"{instance.name}: {scale.deliveries_per_second:g} deliveries a second for {scale.latency_seconds} s")
    sent = send_all(instance.stack, invoices, per_second=scale.deliveries_per_second)
    progress = counted(say, f"{instance.name}: {{}} of {count} jobs have ended")
    jobs = ended_jobs(urls.owner, invoices, patience_seconds=scale.latency_patience_seconds, progress=progress)
    say(f"{instance.name}: {sum(not job.is_open for job in jobs)} of {count} jobs ended in time")
    if not instance.is_stock:
        refuse_unfinished(jobs, expected=count)
    return figures_of(jobs, sent, prefix="stock_" if instance.is_stock else "")


def figures_of(jobs: Sequence[JobRow], sent: Mapping[str, float], *, prefix: str) -> dict[str, float | None]:
    """Raises `NotMeasured` when a delivery has become no job, or more than one."""
    if sorted(job.invoice for job in jobs) != sorted(sent):
        raise NotMeasured(f"{len(sent)} deliveries became {len(jobs)} jobs; one for each was wanted")
    first_op = [seconds_to_first_op(job, sent_at=sent[job.invoice]) for job in jobs]
    completed = [seconds_to_end(job, sent_at=sent[job.invoice]) for job in jobs]
    return {
        f"{prefix}{name}_p{percent}_s": percentile(values, percent)
        for name, values in (("first_op", first_op), ("completed", completed))
        for percent in PERCENTS
    }


def seconds_to_first_op(job: JobRow, *, sent_at: float) -> float | None:
    """None for a job that no run has begun."""
    return None if job.first_op is None else job.first_op - sent_at


def seconds_to_end(job: JobRow, *, sent_at: float) -> float | None:
    """None for a job that is open, and for one that ended otherwise than well."""
    return job.completed - sent_at if job.completed is not None and job.status == "COMPLETED" else None
