"""The op that decides for whom the invoices of orders are, and what stands in them."""

from decimal import Decimal

from dagster import OpExecutionContext, op

from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob
from zixly_core.record_links import record_url
from zixly_core.workflows.customers import party_to_json
from zixly_core.workflows.drafts import draft_to_json
from zixly_core.workflows.order_invoices import draft_of
from zixly_core.workflows.paid_orders import order_from_json, party_of
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.order_jobs import Books, booked, books_of
from zixly_dagster.ops.steps import Done, Outcome, each_of, keep_outcomes
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import calling, end_all
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.xero import XeroResource


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def draft_invoices(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """Write the invoices of the paid orders down, line by line; one call tells the organisation's tax rates."""
    step = Step("draft")
    work = batch.work(context)
    jobs = booked(work, needs=["order", "contact"], lacks="draft")
    if not jobs:
        show(context, summary="No invoice is left to draft.", drafted=0)
        return
    try:
        books = books_of(work, jobs[0], xero)
        with calling(work, books.target.id):
            percent = tax_percent_of(books)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No invoice was drafted ({error.reason}).", drafted=0)
        return
    outcomes = each_of(jobs, lambda job: drafted(job, books, percent))
    going = keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Drafted {counted(going, 'invoice')}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        drafted=going,
    )


def tax_percent_of(books: Books) -> Decimal | None:
    """The rate of the settings' tax type; None where the organisation has no such type."""
    rates = {rate.tax_type: rate.rate for rate in books.client.tax_rates()}
    return rates.get(books.settings.tax_type)


def drafted(job: ClaimedJob, books: Books, percent: Decimal | None) -> Outcome:
    order = order_from_json(job.checkpoint["order"])
    url = record_url("shopify", "order", order.id, account=books.source.external_id)
    draft = draft_of(order, books.settings, zone=books.zone, tax_percent=percent, url=url)
    party = party_of(order, key=job.source_key)
    words = f"{counted(len(draft.lines), 'line')}, prices {'with' if draft.line_amount_types == 'Inclusive' else 'without'} tax"
    return Done(words, checkpoint={"party": party_to_json(party), "draft": draft_to_json(draft)})
