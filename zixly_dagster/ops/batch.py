"""The ops that every workflow begins and ends with: claim the batch's jobs, settle them, conclude the run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from dagster import Failure, In, Nothing, OpExecutionContext, Out, op

from zixly_core.job import ClaimedJob, Completed, Failed, JobEnd, JobStatus, superseded
from zixly_core.stores.release import GIVEN_BACK
from zixly_dagster.ops.steps import ORDER, PLANNED
from zixly_dagster.ops.story import counted, job_links, job_row, link_values, show, table_values, work_links
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.notifications import NotificationsResource
from zixly_dagster.resources.vendors import keep_call_counts

AFTER = {"after": In(Nothing)}
DONE = Out(Nothing)
NAMED_FAILURES = 10
# Uses up an attempt: an op that never comes to an end with a job must not go round for ever.
LEFT_UNDONE = Failed("left_undone", "The run ended before it was done with the job.", permanent=False)


@op(out=DONE, tags={"kind": "postgres"})
def claim_jobs(context: OpExecutionContext, batch: BatchResource) -> None:
    """Take the batch's jobs under a lease. Jobs made needless by a newer one about the same record end here."""
    work = batch.work(context)
    jobs = work.jobs()
    needless = superseded(jobs)
    work.settle([JobEnd(job, Completed({"superseded_by": str(needless[job.id].id)})) for job in jobs if job.id in needless])
    going = [job for job in jobs if job.id not in needless]
    if not jobs:
        show(
            context,
            summary=f"Nothing left to do: the jobs of batch {batch.batch_id} are in other hands or have ended.",
            claimed=0,
        )
        return
    rows = [job_row(job, f"superseded by {needless[job.id].id}" if job.id in needless else "claimed") for job in jobs]
    show(
        context,
        summary=f"Claimed {len(going)} of {counted(len(jobs), 'job')}.",
        rows=rows,
        links=work_links(going),
        claimed=len(going),
        superseded=len(needless),
    )


@op(ins=AFTER, out=DONE, tags={"kind": "postgres"})
def settle_jobs(context: OpExecutionContext, batch: BatchResource) -> None:
    """Write down as completed what the steps before have finished; each job says in its result what was done."""
    work = batch.work(context)
    ends = [JobEnd(job, Completed(result_of(job))) for job in work.jobs() if "result" in job.checkpoint]
    settled = work.settle(ends)
    statuses = settled.statuses if settled else {}
    rows = [job_row(end.job, statuses[end.job.id].value if end.job.id in statuses else "lost to another run") for end in ends]
    show(context, summary=f"Settled {counted(len(statuses), 'job')}.", rows=rows, settled=len(statuses), lost=len(ends) - len(statuses))


def result_of(job: ClaimedJob) -> dict[str, Any]:
    """What the job's steps came to; of a dry run, what they would have written, as differences."""
    result = dict(job.checkpoint["result"])
    if not job.is_dry_run:
        return result
    plans = sorted((plan for name, plan in job.checkpoint.items() if name.startswith(PLANNED)), key=itemgetter(ORDER))
    told = [{name: value for name, value in plan.items() if name != ORDER} for plan in plans]
    return {**result, "dry_run": True, "would_write": told}


@op(ins=AFTER, out=DONE)
def conclude(context: OpExecutionContext, batch: BatchResource, notifications: NotificationsResource) -> None:
    """End the run: tell whoever wants to know, and turn the run red if one of its jobs ended FAILED, naming which and why.

    Jobs that are still in hand are due again and go on in a run of their own, from their checkpoints. This is what happens when
    somebody re-executes a red run from failure, which repeats this op alone, and then uses up no attempt.
    """
    work = batch.work(context)
    left = GIVEN_BACK if work.run.earlier else LEFT_UNDONE
    work.settle([JobEnd(job, left) for job in work.jobs()])
    work.let_go()
    keep_call_counts(work)
    ended = work.ended()
    counts = Counter(str(row["status"]) for row in ended)
    failed = [row for row in ended if row["status"] == JobStatus.FAILED]
    if ended:
        notifications.notify_if_wanted(work, work.row(), completed=counts[JobStatus.COMPLETED], failed=len(failed))
    if failed:
        raise Failure(
            description=failure_text(failed, of=len(ended)),
            metadata={**link_values(job_links(one["id"] for one in failed)), **table_values(end_rows(failed))},
            allow_retries=False,
        )
    show(context, summary=conclusion(counts), rows=end_rows(ended), links=job_links(one["id"] for one in ended))


def end_rows(ended: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """How the run's jobs ended, as rows of a table."""
    return [{"job": str(one["id"]), "record": one["record_id"], "status": one["status"], "why": one["error_reason"] or ""} for one in ended]


def conclusion(counts: Mapping[str, int]) -> str:
    """What became of the jobs of a run that is not red, in one sentence."""
    if not counts:
        return "Nothing was left to do: the jobs of this batch are in other hands or have ended."
    cancelled, queued, waiting = (counts.get(status, 0) for status in (JobStatus.CANCELLED, JobStatus.QUEUED, JobStatus.RUNNING))
    parts = [
        f"{counted(counts.get(JobStatus.COMPLETED, 0), 'job')} ended well",
        f"{cancelled} cancelled" if cancelled else "",
        f"{queued} go on in another run" if queued else "",
        f"{waiting} wait for an outside service" if waiting else "",
    ]
    return ", ".join(part for part in parts if part) + "."


def failure_text(failed: Sequence[Mapping[str, Any]], *, of: int) -> str:
    """How many jobs failed, and each cause once, with the job that it befell first; the errors hold ids and reasons only."""
    causes: dict[tuple[str, str], list[str]] = {}
    for one in failed:
        causes.setdefault((one["error_reason"], one["error_message"]), []).append(str(one["id"]))
    told = [f"{len(ids)} × {reason}: {message} (job {ids[0]})" for (reason, message), ids in causes.items()]
    more = [f"... and {len(told) - NAMED_FAILURES} causes more"] if len(told) > NAMED_FAILURES else []
    return "\n".join([f"{len(failed)} of {counted(of, 'job')} ended FAILED.", *told[:NAMED_FAILURES], *more])
