"""The op that fetches invoices' PDFs, one call each, from the budget that live work left over."""

from collections.abc import Sequence

from dagster import OpExecutionContext, op

from zixly_core.errors import BudgetSpent, ZixlyError
from zixly_core.job import ClaimedJob, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.stores.claims import Progress
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import ORDER, PLANNED
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all, note_budget
from zixly_dagster.resources.batch import BatchResource, BatchWork
from zixly_dagster.resources.objects import ObjectsResource
from zixly_dagster.resources.xero import XeroResource

KEPT = "kept"


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def keep_documents(context: OpExecutionContext, batch: BatchResource, xero: XeroResource, objects: ObjectsResource) -> None:
    """Keep each invoice's PDF as `{tenant}/{job}/document.pdf` of the job that asked for it. Stops at the first spent budget."""
    step = Step("document")
    work = batch.work(context)
    store = objects.store()
    waiting = wanted = undone(work)
    outcomes: list[tuple[ClaimedJob, str]] = []
    while waiting:
        job = waiting[0]
        try:
            key = document_key(job)
            if job.is_dry_run:
                work.keep([told(job, key, step=step)])
                outcomes.append((job, "told"))
                waiting = still_waiting(work, outcomes)
                continue
            store.put(key, xero.client(work, job.connection_id).invoice_pdf(job.record_id), content_type="application/pdf")
        except ZixlyError as error:
            note_budget(work, job.connection_id, error)
            failed = waiting if isinstance(error, BudgetSpent) else [job]
            end_all(work, failed, error, step=step)
            outcomes += [(one, error.reason) for one in failed]
        else:
            work.keep([kept(job, key, step=step)])
            outcomes.append((job, KEPT))
        waiting = still_waiting(work, outcomes)
    count = sum(1 for _, outcome in outcomes if outcome == KEPT)
    rows = [job_row(job, outcome) for job, outcome in outcomes]
    show(context, summary=f"Kept {count} of {counted(len(wanted), 'document')}.", rows=rows, kept=count)


def undone(work: BatchWork) -> list[ClaimedJob]:
    """The jobs in hand whose document is not kept yet. Asked anew after each call, which renews the lease and leaves out what
    somebody cancelled meanwhile."""
    return [job for job in work.jobs() if "result" not in job.checkpoint]


def still_waiting(work: BatchWork, outcomes: Sequence[tuple[ClaimedJob, str]]) -> list[ClaimedJob]:
    """What is left to do: none is tried twice by one run."""
    tried = {job.id for job, _ in outcomes}
    return [job for job in undone(work) if job.id not in tried]


def document_key(job: ClaimedJob) -> str:
    """Where the document lies: with the job that asked for it."""
    return f"{job.tenant_id}/{job.trigger.get('origin_job_id', job.id)}/document.pdf"


def told(job: ClaimedJob, key: str, *, step: Step) -> Progress:
    """What a dry run would keep."""
    plan = {"system": "objects", "operation": "document.keep", "target": key, "changes": {}, ORDER: 1}
    return Progress(job, checkpoint={"result": {"document": key}, f"{PLANNED}{key}": plan}, entries=[step.entry(f"{key} would be kept")])


def kept(job: ClaimedJob, key: str, *, step: Step) -> Progress:
    related = RelatedRecord("xero", "invoice", job.record_id, "READ", url=record_url("xero", "invoice", job.record_id))
    return Progress(job, checkpoint={"result": {"document": key}}, entries=[step.entry(f"kept {key}")], related=[related])
