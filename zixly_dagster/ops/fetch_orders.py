"""The op that reads orders from Shopify as they are now, and decides what each asks for."""

from collections.abc import Mapping
from functools import partial

from dagster import OpExecutionContext, op

from zixly_core.errors import RecordGone
from zixly_core.job import ClaimedJob, Failed, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.stores.effects import SourceState, source_states
from zixly_core.systems.shopify.orders import Order
from zixly_core.workflows.paid_orders import NotBooked, Plan, invoice_in, judged, order_to_json
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import Done, Outcome, each_of, keep_outcomes, pending, skipped, source_of, stopped
from zixly_dagster.ops.story import Step, counted, first_few, job_row, show
from zixly_dagster.ops.vendor_calls import in_calls
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.shopify import ShopifyResource

ORDERS_PER_CALL = 50


@op(ins=AFTER, out=DONE, tags={"kind": "shopify"})
def fetch_orders(context: OpExecutionContext, batch: BatchResource, shopify: ShopifyResource) -> None:
    """Read the batch's orders as they are now, and go on with those that changed in what matters to the books."""
    step = Step("fetch")
    work = batch.work(context)
    jobs = pending(work, lacks="order")
    if not jobs:
        show(context, summary="No order is left to fetch.", fetched=0, going=0)
        return
    shop = source_of(work, jobs[0]).external_id
    answers, ends = in_calls(
        work,
        jobs[0].connection_id,
        jobs,
        size=ORDERS_PER_CALL,
        call=lambda group: shopify.client(work, group[0].connection_id).orders_by_ids([job.record_id for job in group]),
    )
    orders = {order.id: order for answer in answers for order in answer}
    failed_ids = {end.job.id for end in ends}
    answered = [job for job in jobs if job.id not in failed_ids]
    seen = source_states(work.database, work.run, workflow=work.row()["workflow"], keys=[job.source_key for job in answered])
    outcomes = each_of(answered, partial(outcome_of, orders=orders, seen=seen, shop=shop))
    outcomes += [(end.job, stopped(end.end)) for end in ends if isinstance(end.end, Failed)]
    going = keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Read {counted(len(orders), 'order')} in {counted(len(answers), 'call')}; {going} change the books.",
        links={f"order {one}": record_url("shopify", "order", one, account=shop) for one in first_few(orders)},
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        calls=len(answers),
        fetched=len(orders),
        going=going,
    )


def outcome_of(job: ClaimedJob, *, orders: Mapping[str, Order], seen: Mapping[str, SourceState], shop: str) -> Outcome:
    order = orders.get(job.record_id)
    if order is None:
        return stopped(RecordGone(f"Order {job.record_id} is not in Shopify any more; nothing was written."))
    related = [RelatedRecord("shopify", "order", order.id, "READ", url=record_url("shopify", "order", order.id, account=shop))]
    known = seen.get(job.source_key)
    match judged(order, known, is_repair=job.repairs is not None):
        case NotBooked() as why:
            return skipped(why.value)
        case Plan.BOOK as plan:
            checkpoint = {"order": order_to_json(order), "plan": plan.value}
            return Done(f"order is {order.financial_status}", checkpoint=checkpoint, related=related)
        case Plan.VOID as plan:
            checkpoint = {"order": order_to_json(order), "plan": plan.value, "to_void": dict(invoice_in(known) or {})}
            return Done("order was cancelled after its invoice was made", checkpoint=checkpoint, related=related)
