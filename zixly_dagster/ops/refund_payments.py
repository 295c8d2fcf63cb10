"""The op that settles the credit notes of refunds: with the money that went back, or against an invoice that is still short."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dagster import OpExecutionContext, op

from zixly_core.effects import TargetWrite, WriteOutcome, Written, call_key
from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, RelatedRecord, failure_from
from zixly_core.systems.xero.client import IDS_PER_CALL
from zixly_core.systems.xero.credit_notes import CreditNote
from zixly_core.systems.xero.payments import NewPayment
from zixly_core.workflows.refunds import Credit
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.order_jobs import Books, booked, books_of, count_written, joined, written_from
from zixly_dagster.ops.order_refunds import credits_in, refund_write
from zixly_dagster.ops.steps import Done, Outcome, keep_outcomes
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import SETTLES_IN, TO_BE_CREATED, VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.xero import XeroResource

PAY_OUT = "xero.credit_note.pay"
ALLOCATE = "xero.credit_note.allocate"


@dataclass(frozen=True)
class Request:
    """The money of one credit note."""

    write: TargetWrite
    credit: Credit
    note_id: str
    invoice_id: str


Requests = Mapping[str, Request]


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def settle_credits(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """Book the money that went back as paid out of the credit notes, 40 a call; set those without money off against their invoices."""
    step = Step("refund")
    work = batch.work(context)
    jobs = booked(work, needs=["order", "invoice", "credit_notes"], lacks="refunded")
    if not jobs:
        show(context, summary="No credit note is left to settle.", settled=0)
        return
    try:
        books = books_of(work, jobs[0], xero)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No credit note was settled ({error.reason}).", settled=0)
        return
    requests = {job.id: [request_of(job, credit, books) for credit in credits_in(job, books)] for job in jobs}
    by_key = {request.write.effect_key: request for some in requests.values() for request in some}
    paid = carried_out(work, [one.write for one in by_key.values() if one.credit.is_paid_out], payments_out(books, by_key))
    allocated = carried_out(work, [one.write for one in by_key.values() if not one.credit.is_paid_out], allocations(books, by_key))
    results = {**paid.outcomes, **allocated.outcomes}
    outcomes = [(job, outcome) for job in jobs if (outcome := outcome_of(requests[job.id], results)) is not None]
    keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Settled {counted(count_written(results), 'credit note')}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        calls=paid.calls + allocated.calls,
        settled=count_written(results),
    )


def request_of(job: ClaimedJob, credit: Credit, books: Books) -> Request:
    note_id, invoice_id = note_of(job, credit), str(job.checkpoint["invoice"]["id"])
    content = {"credit_note": note_id, "amount": str(credit.amount), "date": credit.date.isoformat()}
    if credit.is_paid_out:
        content |= {"account": books.settings.payment_account_code, "reference": credit.reference}
    else:
        content |= {"invoice": invoice_id}
    operation = PAY_OUT if credit.is_paid_out else ALLOCATE
    return Request(refund_write(job, credit, books, operation=operation, content=content), credit, note_id, invoice_id)


def note_of(job: ClaimedJob, credit: Credit) -> str:
    """The id of the credit note that was made for a refund."""
    return str(job.checkpoint["credit_notes"].get(credit.refund_id, TO_BE_CREATED))


def payments_out(books: Books, requests: Requests) -> VendorWrites:
    """How money that went back is booked. The same request twice would book twice, so one without an answer has to settle."""
    return VendorWrites(
        connection_id=books.target.id,
        size=IDS_PER_CALL,
        look=lambda writes: on_notes(books, writes, requests, id_on=payment_on),
        send=lambda writes: paid_out(books, writes, requests),
        settles_in=SETTLES_IN,
    )


def paid_out(books: Books, writes: Sequence[TargetWrite], requests: Requests) -> dict[str, WriteOutcome]:
    payments = [new_payment(requests[write.effect_key], books) for write in writes]
    return written_from(books.client.create_payments(payments, idempotency_key=call_key(writes)))


def new_payment(request: Request, books: Books) -> NewPayment:
    return NewPayment(
        key=request.write.effect_key,
        invoice_id=None,
        credit_note_id=request.note_id,
        account_code=books.settings.payment_account_code,
        amount=request.credit.amount,
        date=request.credit.date,
        reference=request.credit.reference,
    )


def allocations(books: Books, requests: Requests) -> VendorWrites:
    """How credit notes are set off against invoices: one a call."""
    return VendorWrites(
        connection_id=books.target.id,
        size=1,
        look=lambda writes: on_notes(books, writes, requests, id_on=allocation_on),
        send=lambda writes: set_off(books, writes, requests),
        settles_in=SETTLES_IN,
    )


def set_off(books: Books, writes: Sequence[TargetWrite], requests: Requests) -> dict[str, WriteOutcome]:
    return {write.effect_key: allocated(books, requests[write.effect_key], key=call_key([write])) for write in writes}


def allocated(books: Books, request: Request, *, key: str) -> WriteOutcome:
    """Set off what the invoice is short of, at most the credit. Of an invoice that is paid the credit stays open: the customer's."""
    due = next((one.amount_due for one in books.client.invoices_by_ids([request.invoice_id])), Decimal(0))
    amount = min(request.credit.amount, due)
    if amount <= 0:
        return Written({"id": request.note_id, "left_open": True})
    result = books.client.allocate_credit_note(
        request.note_id, invoice_id=request.invoice_id, amount=amount, date=request.credit.date, idempotency_key=key
    )
    return failure_from(result.error) if result.error is not None else Written({"id": request.note_id})


def on_notes(
    books: Books, writes: Sequence[TargetWrite], requests: Requests, *, id_on: Callable[[CreditNote, Request], str | None]
) -> dict[str, dict[str, str]]:
    """What the credit notes show already, by effect key."""
    asked = [requests[write.effect_key] for write in writes]
    notes = {note.id: note for note in books.client.credit_notes_by_ids({one.note_id for one in asked})}
    found = ((one, id_on(notes[one.note_id], one)) for one in asked if one.note_id in notes)
    return {one.write.effect_key: {"id": record_id} for one, record_id in found if record_id is not None}


def payment_on(note: CreditNote, request: Request) -> str | None:
    """The refund of the credit note. Inside a credit note Xero shows payments with id, date and amount; a reference may be left out."""
    amount, reference = request.credit.amount, request.credit.reference
    return next((one.id for one in note.payments if one.amount == amount and one.reference in ("", reference)), None)


def allocation_on(note: CreditNote, request: Request) -> str | None:
    return note.id if any(one.invoice_id == request.invoice_id for one in note.allocations) else None


def outcome_of(requests: Sequence[Request], outcomes: Mapping[str, WriteOutcome]) -> Outcome | None:
    """What became of the money of a job's credit notes."""
    return joined(
        [request.write for request in requests],
        outcomes,
        done=lambda ids: settled(requests, ids),
        planned=lambda number: Done(f"{counted(number, 'credit note')} would be settled", checkpoint={"refunded": []}),
    )


def settled(requests: Sequence[Request], ids: Sequence[str]) -> Done:
    paid = [record_id for request, record_id in zip(requests, ids, strict=True) if request.credit.is_paid_out]
    related = [RelatedRecord("xero", "payment", payment_id, "CREATE") for payment_id in paid]
    return Done(f"{counted(len(ids), 'credit note')} settled", checkpoint={"refunded": paid}, related=related)
