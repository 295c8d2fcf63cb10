"""How many jobs a minute in a burst? Thousands of deliveries at once, each of which must become a job with its log, related records and
effect, at vendors that answer after 20 ms.

The time is from the first receipt to the end of the last job, by Postgres' clock. The memory of the platform's processes is looked at
before and after bursts, once the first one has filled what fills only once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.bench_stack import BenchStack
from benchmarks.burst_load import BurstRow, came_of, sent_burst, wait_until_done
from benchmarks.figures import median
from benchmarks.instance import Instance
from benchmarks.process_groups import REST, VENDORS, cpu_by_group, group_of, grown
from benchmarks.progress import Say
from benchmarks.questions.idle import MEGABYTE, sizes_of
from benchmarks.sandbox import answer_after
from benchmarks.scale import Scale

# As the vendor of the Express workers does.
VENDOR_SECONDS = 0.02
# As many jobs as a run holds outside the other questions.
JOBS_A_BATCH = 160
PATIENCE_SECONDS = 240.0
SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Burst:
    """What came of one, and the CPU of each group of processes for a job, in milliseconds."""

    row: BurstRow
    sent_per_second: float
    cpu_ms: dict[str, float]


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`jobs_per_minute_burst`, `worker_utilisation`, `burst_cpu_ms` (medians) and `memory_growth_mb`. Raises `NotMeasured`."""
    stack = instance.stack
    slots = stack.plan.settings.workers * stack.plan.settings.worker_slots
    stack.limit_batches(JOBS_A_BATCH)
    answer_after(stack.plan.urls.sandbox, seconds=VENDOR_SECONDS)
    try:
        bursts = [one_burst(stack, count=scale.burst_warm_up, say=say)] if scale.burst_warm_up else []
        before = memory_of(stack)
        bursts = [one_burst(stack, count=scale.burst, say=say) for _ in range(scale.burst_repetitions)]
        after = memory_of(stack)
    finally:
        answer_after(stack.plan.urls.sandbox, seconds=0)
        stack.limit_batches(1)
    say(f"memory of the platform: {before:.0f} MB before, {after:.0f} MB after")
    return {
        "jobs_per_minute_burst": median([one.row.per_minute() for one in bursts]),
        "worker_utilisation": median([one.row.utilisation(slots=slots) for one in bursts]),
        "burst_cpu_ms": median([sum(one.cpu_ms.values()) for one in bursts]),
        "memory_growth_mb": after - before,
    }


def one_burst(stack: BenchStack, *, count: int, say: Say) -> Burst:
    urls = stack.plan.urls
    before = cpu_by_group(stack.processes())
    invoices, sent = sent_burst(stack, count=count)
    say(f"{count} deliveries sent, {sent.rps:.0f} a second")
    wait_until_done(urls.owner, patience_seconds=PATIENCE_SECONDS, say=say)
    used = grown(before, cpu_by_group(stack.processes()))
    row = came_of(urls.owner, invoices)
    cpu_ms = {name: seconds * 1000 / count for name, seconds in used.items()}
    say(f"{row.per_minute() or 0:.0f} jobs a minute in {row.runs} runs, {row.written} writes; CPU for a job, ms: {words_of(cpu_ms)}")
    return Burst(row, sent.rps, {name: value for name, value in cpu_ms.items() if name != VENDORS})


def words_of(cpu_ms: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in sorted(cpu_ms.items(), key=lambda one: -one[1]))


def memory_of(stack: BenchStack) -> float:
    """Of the platform's processes; the sandbox keeps the vendors' records in memory, and what a developer's command needs is left out."""
    time.sleep(SETTLE_SECONDS)
    ours = [one for one in stack.processes() if group_of(one) not in {VENDORS, REST}]
    return sum(sizes_of(ours)) / MEGABYTE
