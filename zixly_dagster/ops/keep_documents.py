"""The op that fetches invoices' PDFs, one call each, from the budget that live work left over."""

from dagster import OpExecutionContext, op

from zixly_core.errors import ZixlyError
from zixly_core.job import JobEnd, RelatedRecord, failure_from
from zixly_core.stores.claims import Progress
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.story import Step, job_row, show
from zixly_dagster.ops.vendor_calls import note_budget
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.objects import ObjectsResource
from zixly_dagster.resources.xero import XeroResource


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def keep_documents(context: OpExecutionContext, batch: BatchResource, xero: XeroResource, objects: ObjectsResource) -> None:
    """Keep each invoice's PDF as `{tenant}/{job}/document.pdf` of the job that asked for it. Stops at the first spent budget."""
    step = Step("document")
    work = batch.work(context)
    jobs = [job for job in work.jobs() if "result" not in job.checkpoint]
    rows, kept = [], 0
    for job in jobs:
        key = f"{job.tenant_id}/{job.trigger.get('origin_job_id', job.id)}/document.pdf"
        try:
            pdf = xero.client(work, job.connection_id).invoice_pdf(job.record_id)
            objects.store().put(key, pdf, content_type="application/pdf")
        except ZixlyError as error:
            note_budget(work, job.connection_id, error)
            work.settle([JobEnd(job, failure_from(error))])
            rows.append(job_row(job, error.reason))
            continue
        related = RelatedRecord("xero", "invoice", job.record_id, "READ")
        progress = Progress(job, checkpoint={"result": {"document": key}}, entries=[step.entry(f"kept {key}")], related=[related])
        work.keep([progress])
        work.jobs()  # renews the lease, and settles what was cancelled meanwhile
        kept += 1
        rows.append(job_row(job, "kept"))
    show(context, summary=f"Kept {kept} of {len(jobs)} documents.", rows=rows, kept=kept)
