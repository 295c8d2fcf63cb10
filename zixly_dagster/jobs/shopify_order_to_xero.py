"""`shopify-order-to-xero`: an order was paid in Shopify, so it is in the books: contact, invoice, payments, refunds."""

from __future__ import annotations

from dagster import JobDefinition, in_process_executor, job

from zixly_dagster.ops.batch import claim_jobs, conclude, settle_jobs
from zixly_dagster.ops.fetch_orders import fetch_orders
from zixly_dagster.ops.keep_report import keep_report
from zixly_dagster.ops.order_drafts import draft_invoices
from zixly_dagster.ops.order_endings import remember_orders, void_invoices
from zixly_dagster.ops.order_payments import book_payments
from zixly_dagster.ops.order_refunds import credit_refunds
from zixly_dagster.ops.refund_payments import settle_credits
from zixly_dagster.ops.upsert_contacts import upsert_contacts
from zixly_dagster.ops.xero_customers import find_customers
from zixly_dagster.ops.xero_invoices import create_invoices
from zixly_dagster.workflow import Workflow

NAME = "shopify-order-to-xero"


@job(
    name="shopify_order_to_xero",
    executor_def=in_process_executor,
    tags={"dagster/kind": "shopify"},
    description=(
        "**An order was paid in Shopify: book it in Xero, and know the customer in HubSpot.**\n\n"
        "`claim jobs` → `fetch orders` → `upsert contacts` → `draft invoices` → `find customers` → `create invoices` → "
        "`book payments` → `credit refunds` → `settle credits` → `void invoices` → `remember orders` → `keep report` → `settle jobs` → "
        "`conclude`\n\n"
        "Works on one batch of jobs. Each run reads the orders as they are now and goes on with those that changed in what matters to the "
        "books: paid, refunded, cancelled. Everything is made once for each order, transaction and refund, whatever is tried again."
    ),
)
def shopify_order_to_xero() -> None:
    invoiced = create_invoices(find_customers(draft_invoices(upsert_contacts(fetch_orders(claim_jobs())))))
    booked = void_invoices(settle_credits(credit_refunds(book_payments(invoiced))))
    conclude(settle_jobs(keep_report(remember_orders(booked))))


def workflow() -> Workflow:
    """What triggers it: whatever changes an order's money. Which change it was is seen when the order is fetched."""
    definition: JobDefinition = shopify_order_to_xero
    return Workflow(
        name=NAME,
        system="shopify",
        title="Shopify order paid → HubSpot contact, Xero invoice and payment",
        job=definition,
        triggers=(
            "shopify:orders.paid",
            "shopify:orders.updated",
            "shopify:orders.cancelled",
            "shopify:refunds.create",
            "callbacks:callback.order.changed",
        ),
        max_batch=40,
        record_form="shopify:{account}:order:{id}",
    )
