"""`xero-invoice-document`: keep the PDF of an invoice that another workflow acted on. Low priority, off unless asked for."""

from __future__ import annotations

from dagster import JobDefinition, in_process_executor, job

from zixly_dagster.ops.batch import claim_jobs, conclude, settle_jobs
from zixly_dagster.ops.keep_documents import keep_documents
from zixly_dagster.ops.keep_report import DOCUMENT_WORKFLOW
from zixly_dagster.workflow import Workflow


@job(
    name="xero_invoice_document",
    executor_def=in_process_executor,
    tags={"dagster/kind": "xero"},
    description=(
        "**Keep the PDFs of invoices that were marked as paid.** One call each, from the budget that live work left over; asked for by "
        "the setting `document` of the Xero connection."
    ),
)
def xero_invoice_document() -> None:
    conclude(settle_jobs(keep_documents(claim_jobs())))


def workflow() -> Workflow:
    """Triggered by no event: `xero-invoice-to-hubspot` leaves these jobs behind."""
    definition: JobDefinition = xero_invoice_document
    return Workflow(
        name=DOCUMENT_WORKFLOW,
        system="xero",
        title="Xero invoice → document in the object store",
        job=definition,
        record_form="xero:{account}:INVOICE:{id}:xero-invoice-document",
        priority=2,
        max_batch=20,
    )
