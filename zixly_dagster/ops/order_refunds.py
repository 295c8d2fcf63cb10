"""The op that credits what customers got back: a credit note in Xero for each refund."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster import OpExecutionContext, op

from zixly_core.effects import TargetWrite, WriteOutcome, Written, call_key, creation
from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, Failed, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.systems.xero.client import IDS_PER_CALL
from zixly_core.systems.xero.writes import NewCreditNote, NewLine
from zixly_core.workflows.drafts import content_of
from zixly_core.workflows.paid_orders import order_from_json
from zixly_core.workflows.refunds import Credit, credits_of
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.order_jobs import Books, booked, books_of, count_written, joined, written_from
from zixly_dagster.ops.steps import Done, Outcome, keep_outcomes
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.xero import XeroResource

OPERATION = "xero.credit_note.create"


@dataclass(frozen=True)
class Request:
    """One credit note to be."""

    write: TargetWrite
    credit: Credit
    customer_id: str


Requests = Mapping[str, Request]


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def credit_refunds(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """Make a credit note for each refund, 40 a call. Their numbers are unique in Xero, so none is made twice."""
    step = Step("credit")
    work = batch.work(context)
    jobs = booked(work, needs=["order", "customer", "payments"], lacks="credit_notes")
    if not jobs:
        show(context, summary="No refund is left to credit.", made=0)
        return
    try:
        books = books_of(work, jobs[0], xero)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No credit note was made ({error.reason}).", made=0)
        return
    requests = {job.id: [request_of(job, credit, books) for credit in credits_in(job, books)] for job in jobs}
    by_key = {request.write.effect_key: request for some in requests.values() for request in some}
    done = carried_out(work, [request.write for request in by_key.values()], note_creations(books, by_key))
    outcomes = [(job, outcome) for job in jobs if (outcome := outcome_of(requests[job.id], done.outcomes)) is not None]
    keep_outcomes(work, step, outcomes)
    made = count_written(done.outcomes)
    show(
        context,
        summary=f"Made {counted(made, 'credit note')} in {counted(done.calls, 'call')}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        calls=done.calls,
        made=made,
    )


def credits_in(job: ClaimedJob, books: Books) -> list[Credit]:
    return credits_of(order_from_json(job.checkpoint["order"]), books.settings, zone=books.zone)


def request_of(job: ClaimedJob, credit: Credit, books: Books) -> Request:
    customer_id = str(job.checkpoint["customer"]["id"])
    content = {**content_of(credit.draft), "customer": customer_id}
    return Request(refund_write(job, credit, books, operation=OPERATION, content=content), credit, customer_id)


def refund_write(job: ClaimedJob, credit: Credit, books: Books, *, operation: str, content: Mapping[str, str]) -> TargetWrite:
    """Something that is done once for a refund."""
    return creation(
        job,
        system="xero",
        account=books.target.external_id,
        operation=operation,
        source_key=job.source_key,
        part=f"refund:{credit.refund_id}",
        content=content,
    )


def note_creations(books: Books, requests: Requests) -> VendorWrites:
    """How credit notes are made. Nothing has to settle: Xero refuses a number that it has."""
    return VendorWrites(
        connection_id=books.target.id,
        size=IDS_PER_CALL,
        look=lambda writes: there_already(books, writes, requests),
        send=lambda writes: made(books, writes, requests),
    )


def there_already(books: Books, writes: Sequence[TargetWrite], requests: Requests) -> dict[str, dict[str, str]]:
    """The credit notes that bear our numbers and references already, by effect key."""
    drafts = {request.credit.draft.number: request for request in (requests[write.effect_key] for write in writes)}
    notes = [note for note in books.client.credit_notes_by_numbers(list(drafts)) if note.is_to_customer and note.number in drafts]
    ours = [note for note in notes if note.reference == drafts[note.number].credit.draft.reference]
    return {drafts[note.number].write.effect_key: {"id": note.id} for note in ours}


def made(books: Books, writes: Sequence[TargetWrite], requests: Requests) -> dict[str, WriteOutcome]:
    """Make the credit notes. One that is refused may be there already, or its number be taken by one that is not ours."""
    notes = [new_note(requests[write.effect_key]) for write in writes]
    outcomes = written_from(books.client.create_credit_notes(notes, idempotency_key=call_key(writes)))
    refused = [write for write in writes if isinstance(one := outcomes[write.effect_key], Failed) and one.permanent]
    if refused:
        outcomes.update({key: Written(found, changed=False) for key, found in there_already(books, refused, requests).items()})
    return outcomes


def new_note(request: Request) -> NewCreditNote:
    draft = request.credit.draft
    lines = (NewLine(one.description, one.quantity, one.unit_amount, one.account_code, tax_type=one.tax_type) for one in draft.lines)
    return NewCreditNote(
        key=request.write.effect_key,
        number=draft.number,
        contact_id=request.customer_id,
        lines=tuple(lines),
        date=draft.date,
        currency=draft.currency,
        reference=draft.reference,
        status=draft.status,
        line_amount_types=draft.line_amount_types,
    )


def outcome_of(requests: Sequence[Request], outcomes: Mapping[str, WriteOutcome]) -> Outcome | None:
    """What became of a job's credit notes."""
    return joined(
        [request.write for request in requests],
        outcomes,
        done=lambda ids: credited(requests, ids),
        planned=lambda number: Done(f"{counted(number, 'credit note')} would be made", checkpoint={"credit_notes": {}}),
    )


def credited(requests: Sequence[Request], ids: Sequence[str]) -> Done:
    notes = {request.credit.refund_id: note_id for request, note_id in zip(requests, ids, strict=True)}
    related = [RelatedRecord("xero", "credit_note", note_id, "CREATE", url=record_url("xero", "credit_note", note_id)) for note_id in ids]
    return Done(f"{counted(len(ids), 'refund')} credited", checkpoint={"credit_notes": notes}, related=related)
