"""Does a tenant with thousands of waiting jobs leave another its share? The other's deliveries at a fixed rate, alone and beside a burst.

Fair is when the backlog of one at most doubles the time that 99 of 100 deliveries of the other take from sent to completed.
"""

from __future__ import annotations

from benchmarks.bench_stack import BenchStack
from benchmarks.burst_load import sent_burst, wait_until_done
from benchmarks.deliveries import send_all
from benchmarks.errors import NotMeasured
from benchmarks.figures import percentile, ratio
from benchmarks.instance import Instance
from benchmarks.ledger import ended_jobs, refuse_unfinished
from benchmarks.progress import Say
from benchmarks.questions.burst import JOBS_A_BATCH, PATIENCE_SECONDS, VENDOR_SECONDS
from benchmarks.questions.latency import seconds_to_end
from benchmarks.sandbox import answer_after, paid_invoices
from benchmarks.scale import Scale
from zixly_cli.seed import SECOND

PER_SECOND = 5.0
PERCENT = 99


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`fairness_p99_alone_s`, `fairness_p99_beside_s` and `fairness_ratio`. Raises `NotMeasured`."""
    stack = instance.stack
    stack.limit_batches(JOBS_A_BATCH)
    answer_after(stack.plan.urls.sandbox, seconds=VENDOR_SECONDS)
    try:
        alone = others_p99(stack, seconds=scale.fairness_seconds)
        sent_burst(stack, count=scale.burst)
        beside = others_p99(stack, seconds=scale.fairness_seconds)
        wait_until_done(stack.plan.urls.owner, patience_seconds=PATIENCE_SECONDS, say=say)
    finally:
        answer_after(stack.plan.urls.sandbox, seconds=0)
        stack.limit_batches(1)
    say(f"another tenant's p99: {alone:.2f} s alone, {beside:.2f} s beside {scale.burst} jobs")
    return {"fairness_p99_alone_s": alone, "fairness_p99_beside_s": beside, "fairness_ratio": ratio(beside, alone)}


def others_p99(stack: BenchStack, *, seconds: float) -> float:
    urls = stack.plan.urls
    invoices = paid_invoices(urls.sandbox, count=round(seconds * PER_SECOND), organisation=SECOND.organisation)
    sent = send_all(stack, invoices, per_second=PER_SECOND, account=SECOND.organisation)
    jobs = ended_jobs(urls.owner, invoices, patience_seconds=PATIENCE_SECONDS, progress=lambda _: None)
    refuse_unfinished(jobs, expected=len(invoices))
    found = percentile([seconds_to_end(job, sent_at=sent[job.invoice]) for job in jobs], PERCENT)
    if found is None:
        raise NotMeasured("A delivery of the other tenant did not come to an end")
    return found
