"""`hubspot-deal-to-xero`: a deal was won, so Xero gets a draft invoice and Asana a project."""

from __future__ import annotations

from dagster import JobDefinition, in_process_executor, job

from zixly_dagster.ops.asana_projects import add_tasks, make_projects
from zixly_dagster.ops.batch import claim_jobs, conclude, settle_jobs
from zixly_dagster.ops.fetch_deals import fetch_deals
from zixly_dagster.ops.keep_report import keep_report
from zixly_dagster.ops.xero_customers import find_customers
from zixly_dagster.ops.xero_invoices import create_invoices
from zixly_dagster.workflow import Workflow

NAME = "hubspot-deal-to-xero"


@job(
    name="hubspot_deal_to_xero",
    executor_def=in_process_executor,
    tags={"dagster/kind": "hubspot"},
    description=(
        "**A deal was won in HubSpot: draft its invoice in Xero and open its project in Asana.**\n\n"
        "`claim jobs` → `fetch deals` → `find customers` → `create invoices` → `make projects` → `add tasks` → `keep report` → "
        "`settle jobs` → `conclude`\n\n"
        "Works on one batch of jobs. HubSpot says only that a deal's stage changed, so the run reads the deals as they are now and goes "
        "on with those that are won. There is one invoice and one project for a deal, whatever becomes of it later: the draft is the "
        "accountant's from then on. *Re-execute*, whole or from failure, takes the run's unfinished jobs and goes on from each one's "
        "checkpoint; nothing is made twice."
    ),
)
def hubspot_deal_to_xero() -> None:
    conclude(settle_jobs(keep_report(add_tasks(make_projects(create_invoices(find_customers(fetch_deals(claim_jobs()))))))))


def workflow() -> Workflow:
    """What triggers it: any change of a deal's stage; whether the stage is one that is won is seen when the deal is fetched."""
    definition: JobDefinition = hubspot_deal_to_xero
    return Workflow(
        name=NAME,
        system="hubspot",
        title="HubSpot deal won → Xero invoice, Asana project",
        job=definition,
        record_form="hubspot:{account}:deal:{id}",
        triggers=("hubspot:deal.propertyChange:dealstage", "hubspot:deal.creation", "callbacks:callback.deal.changed"),
        max_batch=40,
    )
