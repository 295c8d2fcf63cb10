"""How many runs a minute, one job each?

So many deliveries of different invoices are sent at once, and each becomes a run of its own. The rate is over the time from the
creation of the first run to the end of the last one.
"""

from __future__ import annotations

from benchmarks.costs import Spent, spent
from benchmarks.deliveries import send_all
from benchmarks.figures import median, per_minute
from benchmarks.instance import Instance
from benchmarks.ledger import ended_jobs, refuse_unfinished, spans_of
from benchmarks.progress import Say, counted
from benchmarks.sandbox import paid_invoices
from benchmarks.scale import Scale

# What hands a run to a worker.
DAEMON = ("zixly_dagster.instance.daemon", "zixly_dagster.instance.code_server")


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`runs_per_minute` or `stock_runs_per_minute`, the median of the repetitions; for ours also what a run costs: `run_cpu_ms` of all
    processes, `run_daemon_cpu_ms` of Dagster's daemon and the code server, `run_commits`, `run_log_kb`. Raises `NotMeasured`."""
    count = scale.stock_runs if instance.is_stock else scale.runs
    before = spent(instance.stack)
    rates = [one_rate(instance, count=count, patience_seconds=scale.runs_patience_seconds, say=say) for _ in range(scale.repetitions)]
    if instance.is_stock:
        return {"stock_runs_per_minute": median(rates)}
    return {"runs_per_minute": median(rates)} | costs(spent(instance.stack).since(before), runs=count * scale.repetitions, say=say)


def costs(cost: Spent, *, runs: int, say: Say) -> dict[str, float | None]:
    """Of one run, its delivery and its vendors' stand-ins included."""
    for name, seconds in sorted(cost.cpu_seconds.items(), key=lambda item: -item[1]):
        say(f"{seconds / runs * 1000:7.1f} ms of CPU a run  {name}")
    return {
        "run_cpu_ms": cost.cpu / runs * 1000,
        "run_daemon_cpu_ms": sum(cost.cpu_seconds.get(name, 0.0) for name in DAEMON) / runs * 1000,
        "run_commits": cost.commits / runs,
        "run_log_kb": cost.log_bytes / runs / 1000,
    }


def one_rate(instance: Instance, *, count: int, patience_seconds: float, say: Say) -> float | None:
    urls = instance.stack.plan.urls
    invoices = paid_invoices(urls.sandbox, count=count)
    send_all(instance.stack, invoices)
    progress = counted(say, f"{instance.name}: {{}} of {count} runs have ended")
    jobs = ended_jobs(urls.owner, invoices, patience_seconds=patience_seconds, progress=progress)
    refuse_unfinished(jobs, expected=count)
    rate = per_minute(spans_of(instance.dagster_url, jobs))
    say(f"{instance.name}: {rate:.1f} runs a minute" if rate is not None else f"{instance.name}: no rate")
    return rate
