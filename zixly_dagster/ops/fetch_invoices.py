"""Ops that read Xero: the invoices of a batch in batch calls, and what became of them since we last acted."""

from collections.abc import Mapping, Sequence

from dagster import OpExecutionContext, op

from zixly_core.job import ClaimedJob, Completed, Failed, JobEnd, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.stores.claims import Progress
from zixly_core.stores.effects import SourceState, source_states
from zixly_core.systems.xero.client import IDS_PER_CALL, XeroClient
from zixly_core.systems.xero.invoices import Invoice
from zixly_core.workflows.paid_invoices import NoNews, invoice_to_json, reason_to_skip, standing_of
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.story import Step, counted, first_few, job_row, show
from zixly_dagster.ops.vendor_calls import in_calls
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.xero import XeroResource


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def fetch_invoices(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """Read the batch's invoices as they are now, 40 a call, and keep those that stand otherwise than when we last acted on them."""
    step = Step("fetch")
    work = batch.work(context)
    jobs = [job for job in work.jobs() if "invoice" not in job.checkpoint]
    if not jobs:
        show(context, summary="No invoice is left to fetch.", fetched=0)
        return
    workflow = work.row()["workflow"]
    seen = source_states(work.database, work.run, workflow=workflow, keys=[job.source_key for job in jobs])
    answers, ends = in_calls(
        work,
        jobs[0].connection_id,
        jobs,
        size=IDS_PER_CALL,
        call=lambda group: fetched(xero.client(work, group[0].connection_id), group, seen),
    )
    invoices = {invoice.id.lower(): invoice for answer in answers for invoice in answer}
    failed_ids = {end.job.id for end in ends}
    answered = [job for job in jobs if job.id not in failed_ids]
    progress: list[Progress] = []
    for job in answered:
        invoice, known = invoices.get(job.record_id.lower()), seen.get(job.source_key)
        outcome = judged(job, invoice, known)
        progress.append(progress_of(job, outcome, step=step))
        if isinstance(outcome, (Completed, Failed)):
            ends.append(JobEnd(job, outcome))
    work.settle(ends, learned=progress)
    show(
        context,
        summary=f"Read {counted(len(invoices), 'invoice')} in {counted(len(answers), 'call')}; {len(jobs) - len(ends)} with news.",
        links={f"invoice {key[-8:]}": record_url("xero", "invoice", key) for key in first_few(invoices)},
        rows=[job_row(end.job, words_of(end.end)) for end in ends],
        calls=len(answers),
        fetched=len(invoices),
        news=len(jobs) - len(ends),
    )


def fetched(client: XeroClient, jobs: Sequence[ClaimedJob], seen: Mapping[str, SourceState]) -> list[Invoice]:
    """The jobs' invoices, those with news with their customer's e-mail, which Xero leaves out of some answers."""
    by_id = {job.record_id.lower(): job for job in jobs}
    invoices = client.invoices_by_ids(list(by_id))
    news = [
        one for one in invoices if one.id in by_id and isinstance(judged(by_id[one.id], one, seen.get(by_id[one.id].source_key)), Invoice)
    ]
    return [invoice for invoice in invoices if invoice not in news] + client.with_contact_emails(news)


def judged(job: ClaimedJob, invoice: Invoice | None, seen: SourceState | None) -> Invoice | Completed | Failed:
    """What to do about a job's invoice: go on with it, or end the job here with the reason."""
    if invoice is None:
        return Failed("record_gone", f"Invoice {job.record_id} is not in Xero any more; nothing was written.", permanent=True)
    skip = reason_to_skip(invoice, seen, is_repair=job.repairs is not None)
    return invoice if skip is None else Completed({"skipped": skip.value})


def progress_of(job: ClaimedJob, outcome: Invoice | Completed | Failed, *, step: Step) -> Progress:
    match outcome:
        case Failed(message=message):
            return Progress(job, entries=[step.entry(message)])
        case Completed(result=result):
            related = [RelatedRecord("xero", "invoice", job.record_id, "READ")]
            return Progress(job, entries=[step.entry(f"invoice needs nothing: {result['skipped']}")], related=related)
        case invoice:
            related = [RelatedRecord("xero", "invoice", invoice.id, "READ", url=record_url("xero", "invoice", invoice.id))]
            entry = step.entry(f"invoice stands as {standing_of(invoice)}")
            return Progress(job, checkpoint={"invoice": invoice_to_json(invoice)}, entries=[entry], related=related)


def words_of(end: object) -> str:
    match end:
        case Completed(result=result):
            return str(result.get("skipped", "completed"))
        case Failed(reason=reason):
            return reason
        case _:
            return type(end).__name__.lower()


def skipped_words() -> Sequence[str]:
    """Every reason for which an invoice needs nothing, for docs and tests."""
    return [one.value for one in NoNews]
