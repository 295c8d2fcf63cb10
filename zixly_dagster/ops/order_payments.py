"""The op that books the money of orders: a payment in Xero for each transaction, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster import OpExecutionContext, op

from zixly_core.effects import TargetWrite, WriteOutcome, call_key, creation
from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, RelatedRecord
from zixly_core.systems.xero.client import IDS_PER_CALL
from zixly_core.systems.xero.invoices import Invoice
from zixly_core.systems.xero.payments import NewPayment
from zixly_core.workflows.paid_orders import Takings, order_from_json, takings_of
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.order_jobs import Books, booked, books_of, count_written, joined, written_from
from zixly_dagster.ops.steps import Done, Outcome, keep_outcomes
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import SETTLES_IN, VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.xero import XeroResource

OPERATION = "xero.payment.create"


@dataclass(frozen=True)
class Request:
    """One payment to be."""

    write: TargetWrite
    invoice_id: str
    takings: Takings


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def book_payments(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """Book a payment for each transaction that brought money, 40 a call. Xero has no natural key for payments: its reference names
    the transaction, and whoever tries again looks for it first."""
    step = Step("payment")
    work = batch.work(context)
    jobs = booked(work, needs=["order", "invoice"], lacks="payments")
    if not jobs:
        show(context, summary="No payment is left to book.", booked=0)
        return
    try:
        books = books_of(work, jobs[0], xero)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No payment was booked ({error.reason}).", booked=0)
        return
    requests = {job.id: requests_of(job, books) for job in jobs}
    by_key = {request.write.effect_key: request for some in requests.values() for request in some}
    done = carried_out(work, [request.write for request in by_key.values()], payment_writes(books, by_key))
    outcomes = [(job, outcome) for job in jobs if (outcome := outcome_of(requests[job.id], done.outcomes)) is not None]
    keep_outcomes(work, step, outcomes)
    count = count_written(done.outcomes)
    show(
        context,
        summary=f"Booked {counted(count, 'payment')} in {counted(done.calls, 'call')}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        calls=done.calls,
        booked=count,
    )


def requests_of(job: ClaimedJob, books: Books) -> list[Request]:
    order, invoice_id = order_from_json(job.checkpoint["order"]), str(job.checkpoint["invoice"]["id"])
    return [Request(write_of(job, one, books, invoice_id), invoice_id, one) for one in takings_of(order, zone=books.zone)]


def write_of(job: ClaimedJob, takings: Takings, books: Books, invoice_id: str) -> TargetWrite:
    return creation(
        job,
        system="xero",
        account=books.target.external_id,
        operation=OPERATION,
        source_key=job.source_key,
        part=f"transaction:{takings.transaction_id}",
        content={
            "invoice": invoice_id,
            "account": books.settings.payment_account_code,
            "amount": str(takings.amount),
            "date": takings.date.isoformat(),
            "reference": takings.reference,
        },
    )


def payment_writes(books: Books, requests: Mapping[str, Request]) -> VendorWrites:
    """How payments are booked. The same request twice would book twice, so one without an answer has to settle."""
    return VendorWrites(
        connection_id=books.target.id,
        size=IDS_PER_CALL,
        look=lambda writes: booked_already(books, [requests[write.effect_key] for write in writes]),
        send=lambda writes: sent(books, writes, requests),
        settles_in=SETTLES_IN,
    )


def booked_already(books: Books, requests: Sequence[Request]) -> dict[str, dict[str, str]]:
    """The payments that the invoices show already, by effect key."""
    invoices = {invoice.id: invoice for invoice in books.client.invoices_by_ids({one.invoice_id for one in requests})}
    found = ((one, payment_on(invoices.get(one.invoice_id), one.takings)) for one in requests)
    return {one.write.effect_key: {"id": payment_id} for one, payment_id in found if payment_id is not None}


def payment_on(invoice: Invoice | None, takings: Takings) -> str | None:
    """The id of the invoice's payment for this transaction."""
    payments = invoice.payments if invoice is not None else ()
    return next((one.id for one in payments if one.reference == takings.reference and one.amount == takings.amount), None)


def sent(books: Books, writes: Sequence[TargetWrite], requests: Mapping[str, Request]) -> dict[str, WriteOutcome]:
    payments = [new_payment(requests[write.effect_key], books) for write in writes]
    return written_from(books.client.create_payments(payments, idempotency_key=call_key(writes)))


def new_payment(request: Request, books: Books) -> NewPayment:
    return NewPayment(
        key=request.write.effect_key,
        invoice_id=request.invoice_id,
        account_code=books.settings.payment_account_code,
        amount=request.takings.amount,
        date=request.takings.date,
        reference=request.takings.reference,
    )


def outcome_of(requests: Sequence[Request], outcomes: Mapping[str, WriteOutcome]) -> Outcome | None:
    """What became of a job's payments."""
    return joined(
        [request.write for request in requests],
        outcomes,
        done=booked_outcome,
        planned=lambda number: Done(f"{counted(number, 'payment')} would be booked", checkpoint={"payments": []}),
    )


def booked_outcome(ids: Sequence[str]) -> Done:
    related = [RelatedRecord("xero", "payment", payment_id, "CREATE") for payment_id in ids]
    return Done(f"{counted(len(ids), 'payment')} booked", checkpoint={"payments": list(ids)}, related=related)
