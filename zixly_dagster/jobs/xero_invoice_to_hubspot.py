"""`xero-invoice-to-hubspot`: an invoice was paid, credited or voided in Xero, so the customer's contact in HubSpot says so."""

from __future__ import annotations

from dagster import JobDefinition, in_process_executor, job

from zixly_dagster.ops.batch import claim_jobs, conclude, settle_jobs
from zixly_dagster.ops.credit_notes import follow_credits
from zixly_dagster.ops.fetch_invoices import fetch_invoices
from zixly_dagster.ops.keep_report import keep_report
from zixly_dagster.ops.match_contacts import match_contacts
from zixly_dagster.ops.update_contacts import update_contacts
from zixly_dagster.workflow import Workflow

NAME = "xero-invoice-to-hubspot"


@job(
    name="xero_invoice_to_hubspot",
    executor_def=in_process_executor,
    tags={"dagster/kind": "xero"},
    description=(
        "**An invoice was paid in Xero, in part or in whole, credited or voided: the customer in HubSpot says so.**\n\n"
        "`claim jobs` → `follow credits` → `fetch invoices` → `match contacts` → `update contacts` → `keep report` → `settle jobs` → "
        "`conclude`\n\n"
        "Works on one batch of jobs. Xero says only that an invoice changed, so the run reads the invoices as they are now and goes on "
        "with those whose standing changed. A credit note makes jobs for the invoices it was applied to. *Re-execute*, whole or from "
        "failure, takes the run's unfinished jobs and goes on from each one's checkpoint; nothing is written twice."
    ),
)
def xero_invoice_to_hubspot() -> None:
    conclude(settle_jobs(keep_report(update_contacts(match_contacts(fetch_invoices(follow_credits(claim_jobs())))))))


def workflow() -> Workflow:
    """What triggers it: sales invoices and bills share Xero's category, which one it was is seen when it is fetched."""
    definition: JobDefinition = xero_invoice_to_hubspot
    return Workflow(
        name=NAME,
        system="xero",
        title="Xero invoice paid → HubSpot contact",
        job=definition,
        max_batch=160,  # four calls to Xero; half of what a batch of 80 costs for each job is its run
        record_form="xero:{account}:INVOICE:{id}",
        triggers=(
            "xero:INVOICE.CREATE",
            "xero:INVOICE.UPDATE",
            "xero:CREDITNOTE.CREATE",
            "xero:CREDITNOTE.UPDATE",
            "callbacks:callback.invoice.changed",
        ),
    )
