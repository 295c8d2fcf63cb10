"""The op that leads from credit notes to the invoices that they were applied to."""

from dagster import OpExecutionContext, op

from zixly_core.errors import RecordGone
from zixly_core.job import ClaimedJob, Completed, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.stores.follow_ups import FollowUp, make_jobs_after
from zixly_core.systems.xero.client import IDS_PER_CALL
from zixly_core.systems.xero.credit_notes import CreditNote
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import Outcome, Stop, keep_outcomes, skipped, stopped
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import in_calls
from zixly_dagster.resources.batch import BatchResource, BatchWork
from zixly_dagster.resources.xero import XeroResource

CREDIT_NOTE = "CREDITNOTE"


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def follow_credits(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """End the jobs about credit notes by jobs about the invoices that they were applied to: order is kept for each invoice."""
    step = Step("credit notes")
    work = batch.work(context)
    jobs = [job for job in work.jobs() if category_of(job) == CREDIT_NOTE]
    if not jobs:
        show(context, summary="No credit note in this batch.", credit_notes=0)
        return
    answers, ends = in_calls(
        work,
        jobs[0].connection_id,
        jobs,
        size=IDS_PER_CALL,
        call=lambda group: xero.client(work, group[0].connection_id).credit_notes_by_ids([job.record_id for job in group]),
    )
    notes = {note.id.lower(): note for answer in answers for note in answer}
    failed = {end.job.id for end in ends}
    outcomes = [(job, followed(work, job, notes.get(job.record_id.lower()))) for job in jobs if job.id not in failed]
    work.settle(ends)
    keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Read {counted(len(notes), 'credit note')}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        credit_notes=len(notes),
    )


def category_of(job: ClaimedJob) -> str:
    """What kind of record a job of Xero is about: `xero:{organisation}:{category}:{id}`."""
    return job.source_key.split(":")[2]


def followed(work: BatchWork, job: ClaimedJob, note: CreditNote | None) -> Outcome:
    """What a credit note leads to. One that is not applied to an invoice yet sends another event when it is."""
    if note is None:
        return stopped(RecordGone(f"Credit note {job.record_id} is not in Xero any more; nothing was written."))
    if note.type != "ACCRECCREDIT":
        return skipped("is a supplier's credit note")
    invoices = sorted({allocation.invoice_id.lower() for allocation in note.allocations})
    if not invoices:
        return skipped("is not applied to an invoice")
    organisation = job.source_key.split(":")[1]
    row = work.row()
    follow_ups = [
        FollowUp(job, invoice, f"xero:{organisation}:INVOICE:{invoice}", invoice, occurred_at=max(note.updated_at, job.occurred_at))
        for invoice in invoices
    ]
    if not job.is_dry_run:
        make_jobs_after(
            work.database, work.run, follow_ups, workflow=row["workflow"], system=row["system"], priority=row["priority"], lane=row["lane"]
        )
    related = [RelatedRecord("xero", "credit note", note.id, "READ")]
    related += [RelatedRecord("xero", "invoice", one, "READ", url=record_url("xero", "invoice", one)) for one in invoices]
    end = Completed({"invoices": invoices, "follow_up_jobs": [] if job.is_dry_run else [str(one.id) for one in follow_ups]})
    return Stop(end, f"led to {counted(len(invoices), 'invoice')}", related=related)
