"""How many runs a minute, one job each?

So many deliveries of different invoices are sent at once, and each becomes a run of its own. The rate is over the time from the
creation of the first run to the end of the last one.
"""

from __future__ import annotations

from benchmarks.deliveries import send_all
from benchmarks.figures import median, per_minute
from benchmarks.instance import Instance
from benchmarks.ledger import ended_jobs, refuse_unfinished, spans_of
from benchmarks.progress import Say, counted
from benchmarks.sandbox import paid_invoices
from benchmarks.scale import Scale


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`runs_per_minute` or `stock_runs_per_minute`, the median of the repetitions. Raises `NotMeasured`."""
    count = scale.stock_runs if instance.is_stock else scale.runs
    rates = [one_rate(instance, count=count, patience_seconds=scale.runs_patience_seconds, say=say) for _ in range(scale.repetitions)]
    return {"stock_runs_per_minute" if instance.is_stock else "runs_per_minute": median(rates)}


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
