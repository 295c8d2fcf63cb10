"""`shopify-privacy`: a customer asks what is held, or is to be forgotten; a shop that removed the app is to be forgotten."""

from __future__ import annotations

from dagster import JobDefinition, in_process_executor, job

from zixly_dagster.ops.batch import conclude, settle_jobs
from zixly_dagster.ops.privacy import WORKFLOW, claim_requests, erase_held, read_requests, tell_held
from zixly_dagster.workflow import Workflow


@job(
    name="shopify_privacy",
    executor_def=in_process_executor,
    tags={"dagster/kind": "shopify"},
    description=(
        "**Answer Shopify's three privacy topics.**\n\n"
        "`claim requests` → `read requests` → `tell held` → `erase held` → `settle jobs` → `conclude`\n\n"
        "What is held about a customer is kept as a document for a person to hand over; what is to be forgotten is erased, with ids, "
        "outcomes and counts left in place. Calls nobody outside, so it also runs for shops that have removed the app."
    ),
)
def shopify_privacy() -> None:
    conclude(settle_jobs(erase_held(tell_held(read_requests(claim_requests())))))


def workflow() -> Workflow:
    definition: JobDefinition = shopify_privacy
    return Workflow(
        name=WORKFLOW,
        system="shopify",
        title="Shopify privacy request → told or erased",
        job=definition,
        triggers=("shopify:customers.data_request", "shopify:customers.redact", "shopify:shop.redact"),
        max_batch=20,
        needs_source=False,
    )
