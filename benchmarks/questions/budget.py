"""Does a backfill leave room for live work? Thousands of invoices beside single events, on one Xero organisation with its real limits.

The organisation allows 60 calls a minute in windows whose phase nobody tells, 5 at once; the portal 110 calls in any 10 seconds.
Everything goes through the stack: the backfill as people ask for it, its runs and jobs, signed deliveries, workers, the shared budget.
"""

from __future__ import annotations

import time

from benchmarks.backfill import forget_budgets, looked_at, seeded_invoices, start_backfill
from benchmarks.deliveries import send_all
from benchmarks.errors import NotMeasured
from benchmarks.figures import percentile
from benchmarks.instance import Instance
from benchmarks.ledger import ended_jobs, refuse_unfinished
from benchmarks.progress import Say, counted
from benchmarks.questions.latency import JOBS_A_BATCH, seconds_to_end
from benchmarks.sandbox import calls_by_status, lift_limits, restore_limits
from benchmarks.scale import Scale

CALLS_A_MINUTE = 60
LOOK_SECONDS = 1.0
# One live event in so many seconds, from the beginning of the backfill on.
SECONDS_BETWEEN_EVENTS = 12.0
PATIENCE_SECONDS = 2_400.0


def measure(instance: Instance, *, scale: Scale, say: Say) -> dict[str, float | None]:
    """`budget_backfill_minutes`, `budget_refused_calls` (429 of both vendors), `budget_xero_utilisation` (of the minutes that the
    backfill took), `budget_live_p95_s`, `budget_live_longest_s` (sent to completed).

    Raises `NotMeasured` unless every job ends COMPLETED.
    """
    stack = instance.stack
    urls = stack.plan.urls
    live = seeded_invoices(urls.sandbox, backfill=scale.backfill_invoices, live=scale.live_events)
    stack.limit_batches(JOBS_A_BATCH)
    restore_limits(urls.sandbox)
    try:
        forget_budgets(urls.owner)
        before, began = calls_by_status(urls.sandbox), time.monotonic()
        backfill_id = start_backfill(urls.bridge)
        say(f"a backfill of about {scale.backfill_invoices} invoices beside {len(live)} events")
        sent = send_all(stack, live, per_second=1 / SECONDS_BETWEEN_EVENTS)
        jobs = ended_jobs(urls.owner, live, patience_seconds=PATIENCE_SECONDS, progress=lambda _: None)
        minutes = wait_for_backfill(urls.bridge, backfill_id, began=began, say=say)
        after = calls_by_status(urls.sandbox)
        refuse_unfinished(jobs, expected=len(live))
    finally:
        lift_limits(urls.sandbox)
        stack.limit_batches(1)
    took = [seconds_to_end(job, sent_at=sent[job.invoice]) for job in jobs]
    calls = {key: after.get(key, 0) - before.get(key, 0) for key in after}
    xero_calls = sum(number for (system, _), number in calls.items() if system == "xero")
    return {
        "budget_backfill_minutes": minutes,
        "budget_refused_calls": float(sum(number for (_, status), number in calls.items() if status == 429)),
        "budget_xero_utilisation": xero_calls / (CALLS_A_MINUTE * minutes),
        "budget_live_p95_s": percentile(took, 95),
        "budget_live_longest_s": percentile(took, 100),
    }


def wait_for_backfill(bridge_url: str, backfill_id: str, *, began: float, say: Say) -> float:
    """The minutes that the backfill took. Raises `NotMeasured` when it does not end, or not well."""
    progress = counted(say, "{} jobs of the backfill have ended")
    deadline = began + PATIENCE_SECONDS
    while (found := looked_at(bridge_url, backfill_id))["status"] != "DONE":
        progress(found["jobs_ended"])
        if time.monotonic() > deadline:
            raise NotMeasured(f"{found['jobs_open']} jobs of the backfill are still open")
        time.sleep(LOOK_SECONDS)
    say(f"the backfill made {found['jobs_made']} jobs of {found['records_found']} records in {found['days']} days")
    return (time.monotonic() - began) / 60
