"""Ops that end the work on orders: void the invoices of cancelled ones, and remember what was acted on."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import OpExecutionContext, op

from zixly_core.effects import TargetWrite, WriteOutcome, Written, call_key, creation
from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, Failed, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.stores.effects import save_source_states
from zixly_core.workflows.paid_orders import Plan, order_from_json, state_of
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.order_jobs import Books, books_of, count_written, joined, written_from
from zixly_dagster.ops.steps import Done, Outcome, keep_outcomes, pending
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.xero import XeroResource

OPERATION = "xero.invoice.void"


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def void_invoices(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """Void the invoices of orders that were cancelled and that nobody paid. Xero refuses those with payments."""
    step = Step("void")
    work = batch.work(context)
    jobs = [job for job in pending(work, needs=["plan"], lacks="voided") if job.checkpoint["plan"] == Plan.VOID]
    if not jobs:
        show(context, summary="No invoice is to be voided.", voided=0)
        return
    try:
        books = books_of(work, jobs[0], xero)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No invoice was voided ({error.reason}).", voided=0)
        return
    writes = {job.id: write_of(job, books) for job in jobs}
    done = carried_out(work, list(writes.values()), voidings(books))
    outcomes = [(job, outcome) for job in jobs if (outcome := outcome_of(writes[job.id], done.outcomes)) is not None]
    keep_outcomes(work, step, outcomes)
    rows = [job_row(job, outcome.message) for job, outcome in outcomes]
    show(context, summary=f"Voided {counted(count_written(done.outcomes), 'invoice')}.", rows=rows, voided=count_written(done.outcomes))


def write_of(job: ClaimedJob, books: Books) -> TargetWrite:
    invoice_id = str(job.checkpoint["to_void"]["id"])
    content = {"invoice": invoice_id, "status": "VOIDED"}
    account, key = books.target.external_id, job.source_key
    return creation(job, system="xero", account=account, operation=OPERATION, source_key=key, content=content)


def voidings(books: Books) -> VendorWrites:
    """How invoices are voided: one a call. The same twice does no harm, so nothing has to settle."""
    return VendorWrites(
        connection_id=books.target.id,
        size=1,
        look=lambda writes: voided_already(books, writes),
        send=lambda writes: voided(books, writes),
    )


def voided_already(books: Books, writes: Sequence[TargetWrite]) -> dict[str, dict[str, str]]:
    invoices = {one.id: one for one in books.client.invoices_by_ids([write.content["invoice"] for write in writes])}
    gone = {"VOIDED", "DELETED"}
    return {
        write.effect_key: {"id": write.content["invoice"]}
        for write in writes
        if (found := invoices.get(write.content["invoice"])) is not None and found.status in gone
    }


def voided(books: Books, writes: Sequence[TargetWrite]) -> dict[str, WriteOutcome]:
    """Void each; one that is refused may have been voided by a person."""
    results = {
        write.effect_key: books.client.change_invoice_status(write.content["invoice"], "VOIDED", idempotency_key=call_key([write]))
        for write in writes
    }
    outcomes = written_from(results)
    refused = [write for write in writes if isinstance(one := outcomes[write.effect_key], Failed) and one.permanent]
    if refused:
        outcomes.update({key: Written(found, changed=False) for key, found in voided_already(books, refused).items()})
    return outcomes


def outcome_of(write: TargetWrite, outcomes: Mapping[str, WriteOutcome]) -> Outcome | None:
    return joined(
        [write],
        outcomes,
        done=lambda _: voided_outcome(write.content["invoice"]),
        planned=lambda _: Done("the invoice would be voided", checkpoint={"voided": write.content["invoice"]}),
    )


def voided_outcome(invoice_id: str) -> Done:
    related = RelatedRecord("xero", "invoice", invoice_id, "UPDATE", url=record_url("xero", "invoice", invoice_id))
    return Done(f"invoice {invoice_id} voided", checkpoint={"voided": invoice_id}, related=[related])


@op(ins=AFTER, out=DONE, tags={"kind": "postgres"})
def remember_orders(context: OpExecutionContext, batch: BatchResource) -> None:
    """Remember the state of each order that is in the books now, so that the next event about it finds what is new."""
    step = Step("remember")
    work = batch.work(context)
    jobs = [job for job in pending(work, needs=["plan"], lacks="result") if "refunded" in job.checkpoint or "voided" in job.checkpoint]
    acted = [job for job in jobs if not job.is_dry_run]
    states = {job.source_key: state_of(order_from_json(job.checkpoint["order"]), invoice=job.checkpoint.get("invoice")) for job in acted}
    save_source_states(work.database, work.run, workflow=work.row()["workflow"], states=states)
    outcomes = [(job, Done("the order is in the books", checkpoint={"result": result_of(job)})) for job in jobs]
    keep_outcomes(work, step, outcomes)
    show(context, summary=f"{counted(len(jobs), 'order')} done.", rows=[job_row(job, "done") for job in jobs], done=len(jobs))


def result_of(job: ClaimedJob) -> dict[str, Any]:
    """What was written for the order, in ids."""
    kept = job.checkpoint
    if "voided" in kept:
        return {"voided": kept["voided"]}
    contact = kept.get("contact") or {}
    return {
        "invoice_id": kept["invoice"]["id"],
        "invoice": kept["invoice"]["number"],
        **({"contact_id": contact["id"]} if contact else {}),
        "payments": list(kept["payments"]),
        "credit_notes": sorted(kept["credit_notes"].values()),
    }
