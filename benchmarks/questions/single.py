"""How soon, with nothing else to do? Deliveries one after the other, each sent when the job of the one before has ended.

One delivery a second is more than the stock launcher can take, so at that rate its figures are mostly waiting behind others. These
are the ones without.
"""

from __future__ import annotations

from benchmarks.deliveries import send_all
from benchmarks.figures import median
from benchmarks.instance import Instance
from benchmarks.ledger import ended_jobs, refuse_unfinished
from benchmarks.progress import Say
from benchmarks.questions.latency import seconds_to_end, seconds_to_first_op
from benchmarks.sandbox import paid_invoices
from benchmarks.scale import Scale

PATIENCE_SECONDS = 60.0


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """The medians `single_first_op_p50_s` and `single_completed_p50_s`, with `stock_` before them for the stock instance. Raises
    `NotMeasured`."""
    invoices = paid_invoices(instance.stack.plan.urls.sandbox, count=scale.singles)
    times = [alone(instance, invoice) for invoice in invoices]
    say(f"{instance.name}: {len(times)} deliveries, one at a time")
    prefix = "stock_" if instance.is_stock else ""
    return {
        f"{prefix}single_first_op_p50_s": median([first_op for first_op, _ in times]),
        f"{prefix}single_completed_p50_s": median([completed for _, completed in times]),
    }


def alone(instance: Instance, invoice: str) -> tuple[float | None, float | None]:
    """Seconds from sending to the first op and to the end."""
    sent = send_all(instance.stack, [invoice])[invoice]
    urls = instance.stack.plan.urls
    jobs = ended_jobs(urls.owner, [invoice], patience_seconds=PATIENCE_SECONDS, progress=lambda _: None)
    refuse_unfinished(jobs, expected=1)
    return seconds_to_first_op(jobs[0], sent_at=sent), seconds_to_end(jobs[0], sent_at=sent)
