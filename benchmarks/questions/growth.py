"""How does it grow? The same small loads before and after a million finished jobs and 50,000 finished runs are in the database.

Each figure after is compared with the same one before, as a ratio that is above 1 where it became worse.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import psycopg

from benchmarks.bench_stack import BenchStack
from benchmarks.figures import percentile, ratio
from benchmarks.grown_database import grow_dagster, grow_platform
from benchmarks.instance import Instance
from benchmarks.progress import Say
from benchmarks.questions import burst, latency, runs
from benchmarks.sandbox import answer_after
from benchmarks.scale import Scale
from zixly_core.stores.database import Database
from zixly_core.stores.handover import due_in_seconds

LOOKS = 50
# Higher is better, so that before is divided by after.
RATES = ("ingest", "jobs", "runs")


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`growth_ratio`, the worst of the ratios, and each of them. Raises `NotMeasured`."""
    urls = instance.stack.plan.urls
    before = figures_of(instance, scale=scale, say=say)
    say(f"adding {scale.grown_jobs} finished jobs and {scale.grown_runs} finished runs")
    began = time.monotonic()
    run = grow_platform(admin_of(urls.owner, urls.admin), jobs=scale.grown_jobs)
    grow_dagster(admin_of(urls.dagster, urls.admin), run=run, runs=scale.grown_runs)
    say(f"they are there after {time.monotonic() - began:.0f} s")
    after = figures_of(instance, scale=scale, say=say)
    ratios = {f"growth_{name}_ratio": worse_by(name, before, after) for name in before}
    known = [value for value in ratios.values() if value is not None]
    return {**ratios, "growth_ratio": max(known) if len(known) == len(ratios) else None}


def admin_of(database_url: str, admin_url: str) -> str:
    """The server's superuser in the database of a URL: triggers are left out while copies are written."""
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    return psycopg.conninfo.make_conninfo(admin_url, dbname=name)


def worse_by(name: str, before: Mapping[str, float | None], after: Mapping[str, float | None]) -> float | None:
    return ratio(before[name], after[name]) if name in RATES else ratio(after[name], before[name])


def figures_of(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    stack = instance.stack
    small = replace(
        scale, repetitions=1, runs=scale.growth_runs, latency_seconds=round(scale.growth_latency_seconds), fast_latency_seconds=1
    )
    rate = runs.measure(instance, scale=small, say=say)["runs_per_minute"]
    soon = latency.measure(instance, scale=small, say=say)["first_op_p95_s"]
    stack.limit_batches(burst.JOBS_A_BATCH)
    answer_after(stack.plan.urls.sandbox, seconds=burst.VENDOR_SECONDS)
    try:
        found = burst.one_burst(stack, count=scale.growth_burst, say=say)
    finally:
        answer_after(stack.plan.urls.sandbox, seconds=0)
        stack.limit_batches(1)
    figures = {"ingest": found.sent_per_second, "jobs": found.row.per_minute(), "runs": rate, "first_op": soon, "due": due_ms(stack)}
    say(", ".join(f"{name} {value:.3g}" for name, value in figures.items() if value is not None))
    return figures


def due_ms(stack: BenchStack) -> float | None:
    """The median of looking when the next job is due, as the dispatcher does all the time."""
    database = Database(stack.plan.urls.database("zixly_dispatch"), name="bench")
    try:
        taken: list[float | None] = []
        for _ in range(LOOKS):
            began = time.perf_counter()
            due_in_seconds(database, system="xero")
            taken.append((time.perf_counter() - began) * 1000)
    finally:
        database.close()
    return percentile(taken, 50)
