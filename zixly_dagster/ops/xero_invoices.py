"""The op that makes invoices in Xero out of the drafts that earlier steps decided: one for each source record."""

from collections.abc import Mapping, Sequence
from typing import Any

from dagster import OpExecutionContext, op

from zixly_core.effects import TargetWrite, WriteOutcome, Written, call_key, creation
from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, Failed, RelatedRecord, failure_from
from zixly_core.operations import INVOICE_CREATE
from zixly_core.record_links import record_url
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.systems.xero.client import XeroClient
from zixly_core.systems.xero.writes import NewInvoice, NewLine
from zixly_core.workflows.drafts import Draft, content_of, draft_from_json
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import Done, Outcome, creating, keep_outcomes, pending, plans_of, source_of, stopped, target_of
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.xero import XeroResource

OPERATION = INVOICE_CREATE
INVOICES_PER_CALL = 40  # Xero advises 50 elements a call; their numbers must fit into the URL of one look


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def create_invoices(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """Make the invoices that the steps before decided, 40 a call. Their numbers are unique in Xero, so none is made twice."""
    step = Step("invoice")
    work = batch.work(context)
    jobs = pending(work, needs=["draft", "customer"], lacks="invoice")
    if not jobs:
        show(context, summary="No invoice is left to make.", made=0)
        return
    try:
        target = target_of(work, source_of(work, jobs[0]), system="xero")
        client = xero.client(work, target.id)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No invoice was made ({error.reason}).", made=0)
        return
    requests = {job.id: Request(job, target) for job in jobs}
    by_key = {request.write.effect_key: request for request in requests.values()}
    done = carried_out(work, [request.write for request in requests.values()], invoice_creations(client, target, by_key))
    outcomes: list[tuple[ClaimedJob, Outcome]] = [
        (job, outcome_of(requests[job.id], outcome))
        for job in jobs
        if (outcome := done.outcomes.get(requests[job.id].write.effect_key)) is not None
    ]
    made = keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Made {counted(made, 'invoice')} in {counted(done.calls, 'call')}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        calls=done.calls,
        made=made,
    )


class Request:
    """One job's invoice to be."""

    def __init__(self, job: ClaimedJob, target: ConfiguredConnection) -> None:
        self.draft: Draft = draft_from_json(job.checkpoint["draft"])
        self.customer_id = str(job.checkpoint["customer"]["id"])
        content = {**content_of(self.draft), "customer": self.customer_id}
        self.write: TargetWrite = creation(
            job, system="xero", account=target.external_id, operation=OPERATION, source_key=job.source_key, content=content
        )

    def new_invoice(self) -> NewInvoice:
        draft = self.draft
        return NewInvoice(
            key=self.write.effect_key,
            number=draft.number,
            contact_id=self.customer_id,
            lines=tuple(
                NewLine(
                    description=line.description,
                    quantity=line.quantity,
                    unit_amount=line.unit_amount,
                    account_code=line.account_code,
                    tax_type=line.tax_type,
                    discount_rate=line.discount_rate,
                    item_code=line.item_code,
                )
                for line in draft.lines
            ),
            date=draft.date,
            due_date=draft.due_date or draft.date,
            currency=draft.currency,
            reference=draft.reference,
            status=draft.status,
            line_amount_types=draft.line_amount_types,
            url=draft.url,
        )


Requests = Mapping[str, Request]


def invoice_creations(client: XeroClient, target: ConfiguredConnection, requests: Requests) -> VendorWrites:
    """How invoices are made. Nothing has to settle: Xero refuses a number that it has."""
    return VendorWrites(
        connection_id=target.id,
        size=INVOICES_PER_CALL,
        look=lambda writes: there_already(client, writes, requests),
        send=lambda writes: made(client, writes, requests),
    )


def there_already(client: XeroClient, writes: Sequence[TargetWrite], requests: Requests) -> dict[str, dict[str, Any]]:
    """The invoices that bear our numbers and references already, by effect key."""
    numbers = {requests[write.effect_key].draft.number: write.effect_key for write in writes}
    found = {
        numbers[invoice.number]: invoice
        for invoice in client.invoices_by_numbers(list(numbers))
        if invoice.is_sale and invoice.number in numbers
    }
    return {key: {"id": one.id, "number": one.number} for key, one in found.items() if one.reference == requests[key].draft.reference}


def made(client: XeroClient, writes: Sequence[TargetWrite], requests: Requests) -> dict[str, WriteOutcome]:
    """Make the invoices. One that is refused may be there already, or its number be taken by an invoice that is not ours."""
    new = [requests[write.effect_key].new_invoice() for write in writes]
    results = client.create_invoices(new, idempotency_key=call_key(writes))
    outcomes: dict[str, WriteOutcome] = {}
    for key, result in results.items():
        outcomes[key] = failure_from(result.error) if result.error is not None else Written({"id": result.id, "number": result.number})
    refused = [write for write in writes if isinstance(one := outcomes[write.effect_key], Failed) and one.permanent]
    if refused:
        outcomes.update({key: Written(found, changed=False) for key, found in there_already(client, refused, requests).items()})
    return outcomes


def outcome_of(request: Request, outcome: WriteOutcome) -> Outcome:
    match outcome:
        case Failed() as failure:
            return stopped(failure)
        case Written(planned=None) as written:
            invoice_id, number = str(written.result["id"]), str(written.result.get("number") or request.draft.number)
            related = RelatedRecord("xero", "invoice", invoice_id, creating(written), url=record_url("xero", "invoice", invoice_id))
            words = f"invoice {number} made as {request.draft.status}" if written.changed else f"invoice {number} was made before"
            return Done(words, checkpoint={"invoice": {"id": invoice_id, "number": number}}, related=[related])
        case Written() as planned:
            kept = {"invoice": {"id": planned.result["id"], "number": request.draft.number}}
            return Done("an invoice would be made", checkpoint={**kept, **plans_of({request.write.effect_key: planned})})
