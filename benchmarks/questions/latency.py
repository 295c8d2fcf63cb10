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
# The faster rate, which is put to ours alone, with batches as workflows have them: at one job a run it would be two thirds of what the
# machine can do, and the figure would tell about its load.
FAST_PER_SECOND = 10.0
JOBS_A_BATCH = 80


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`first_op_p50_s`, `first_op_p95_s`, `completed_p50_s`, `completed_p95_s`, with `stock_` before them for the stock instance; for ours
    the same at ten a second, as `first_op_10_p50_s` and so on.

    Raises `NotMeasured` when one of our jobs does not end COMPLETED. The stock instance may fall behind: that is its figure.
    """
    slow = at_rate(instance, scale.deliveries_per_second, seconds=scale.latency_seconds, scale=scale, say=say)
    if instance.is_stock:
        return figures_of(*slow, prefix="stock_")
    instance.stack.limit_batches(JOBS_A_BATCH)
    try:
        fast = at_rate(instance, FAST_PER_SECOND, seconds=scale.fast_latency_seconds, scale=scale, say=say)
    finally:
        instance.stack.limit_batches(1)
    return figures_of(*slow) | figures_of(*fast, rate=f"_{FAST_PER_SECOND:g}")


def at_rate(instance: Instance, per_second: float, *, seconds: int, scale: Scale, say: Say) -> tuple[Sequence[JobRow], Mapping[str, float]]:
    """What became of the deliveries, and when each was to be sent."""
    urls = instance.stack.plan.urls
    count = round(seconds * per_second)
    invoices = paid_invoices(urls.sandbox, count=count)
    say(f"{instance.name}: {per_second:g} deliveries a second for {seconds} s")
    sent = send_all(instance.stack, invoices, per_second=per_second)
    progress = counted(say, f"{instance.name}: {{}} of {count} jobs have ended")
    jobs = ended_jobs(urls.owner, invoices, patience_seconds=scale.latency_patience_seconds, progress=progress)
    say(f"{instance.name}: {sum(not job.is_open for job in jobs)} of {count} jobs ended in time")
    if not instance.is_stock:
        refuse_unfinished(jobs, expected=count)
    return jobs, sent


def figures_of(jobs: Sequence[JobRow], sent: Mapping[str, float], *, prefix: str = "", rate: str = "") -> dict[str, float | None]:
    """Raises `NotMeasured` when a delivery has become no job, or more than one."""
    if sorted(job.invoice for job in jobs) != sorted(sent):
        raise NotMeasured(f"{len(sent)} deliveries became {len(jobs)} jobs; one for each was wanted")
    first_op = [seconds_to_first_op(job, sent_at=sent[job.invoice]) for job in jobs]
    completed = [seconds_to_end(job, sent_at=sent[job.invoice]) for job in jobs]
    return {
        f"{prefix}{name}{rate}_p{percent}_s": percentile(values, percent)
        for name, values in (("first_op", first_op), ("completed", completed))
        for percent in PERCENTS
    }


def seconds_to_first_op(job: JobRow, *, sent_at: float) -> float | None:
    """None for a job that no run has begun."""
    return None if job.first_op is None else job.first_op - sent_at


def seconds_to_end(job: JobRow, *, sent_at: float) -> float | None:
    """None for a job that is open, and for one that ended otherwise than well."""
    return job.completed - sent_at if job.completed is not None and job.status == "COMPLETED" else None
