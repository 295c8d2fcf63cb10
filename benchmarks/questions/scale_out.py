"""Do more worker hosts bring more jobs? One, two and three hosts' worth of worker processes, with vendors that take their time.

All of it shares the machine, so what is measured is not a host's CPU but whether anything that hosts share (queue, broker, ledger,
budgets, dispatch) holds them up: jobs wait for vendors most of their time. The stack's own workers are stopped meanwhile.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks.bench_stack import BenchStack
from benchmarks.deliveries import send_all
from benchmarks.figures import Span, per_minute, ratio
from benchmarks.instance import Instance
from benchmarks.ledger import JobRow, ended_jobs, refuse_unfinished
from benchmarks.processes import end, spawn, wait_for
from benchmarks.progress import Say, counted
from benchmarks.sandbox import lift_limits, paid_invoices, slow_down
from benchmarks.scale import Scale
from zixly_cli.control import start_process, stop_process
from zixly_cli.stack.probes import worker_answers

HOSTS = (1, 2, 3)
# Each call to a vendor. A job makes some, one after the other, and takes about a tenth of a second of CPU.
VENDOR_SECONDS = 0.5
PATIENCE_SECONDS = 120.0


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`scale_out_jobs_per_minute` of one host, and as multiples of it `scale_out_2` and `scale_out_3`. Nothing in the short form.

    Raises `NotMeasured` unless every job ends COMPLETED at its first attempt.
    """
    if not scale.scale_out_jobs:
        return {}
    stack = instance.stack
    for name in stack.plan.worker_names:
        stop_process(stack.plan.settings, name)
    slow_down(stack.plan.urls.sandbox, seconds=VENDOR_SECONDS)
    running: list[subprocess.Popen[bytes]] = []
    rates: dict[int, float | None] = {}
    try:
        for hosts in HOSTS:
            running.append(started_host(stack, number=hosts))
            rates[hosts] = rate(stack, hosts=hosts, count=hosts * scale.scale_out_jobs, say=say)
    finally:
        for process in running:
            end(process)
        lift_limits(stack.plan.urls.sandbox)
        for name in stack.plan.worker_names:
            start_process(stack.plan.settings, name)
    return {"scale_out_jobs_per_minute": rates[1], **{f"scale_out_{hosts}": ratio(rates[hosts], rates[1]) for hosts in HOSTS[1:]}}


def started_host(stack: BenchStack, *, number: int) -> subprocess.Popen[bytes]:
    """A worker as another host would run it: a process of its own, which shares with the others what is behind the network."""
    name, since = f"host-{number}", time.time()
    log = stack.plan.home.logs / f"{name}.log"
    command = (sys.executable, "-m", "zixly_dagster.instance.worker", "--name", name)
    process = spawn(command, environment=stack.plan.environment("worker"), log=log)
    wait_for(process, worker_answers(stack.plan.urls.broker, name=name), what=f"The worker {name}", since=since, log=log)
    return process


def rate(stack: BenchStack, *, hosts: int, count: int, say: Say) -> float | None:
    """Jobs a minute, from the first op of the first to the end of the last."""
    urls = stack.plan.urls
    invoices = paid_invoices(urls.sandbox, count=count)
    send_all(stack, invoices)
    progress = counted(say, f"{hosts} hosts: {{}} of {count} jobs have ended")
    jobs = ended_jobs(urls.owner, invoices, patience_seconds=PATIENCE_SECONDS, progress=progress)
    refuse_unfinished(jobs, expected=count)
    found = per_minute(spans_of(jobs))
    say(f"{hosts} hosts: {found:.0f} jobs a minute" if found else f"{hosts} hosts: no rate")
    return found


def spans_of(jobs: Sequence[JobRow]) -> list[Span]:
    return [Span(created=job.first_op, ended=job.completed) for job in jobs if job.first_op is not None and job.completed is not None]
