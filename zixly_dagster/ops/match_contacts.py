"""The op that finds customers among a portal's contacts."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from dagster import OpExecutionContext, op

from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, Completed, Failed, JobEnd, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.stores.claims import Progress
from zixly_core.systems.hubspot.client import MAX_INPUTS
from zixly_core.workflows.paid_invoices import MissingContact, PaidInvoice, invoice_from_json
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.partners import partner_of
from zixly_dagster.ops.story import Step, counted, first_few, job_row, show
from zixly_dagster.ops.vendor_calls import end_all, in_calls
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.hubspot import HubSpotResource

# A contact is found by its other addresses too.
OTHER_EMAILS = "hs_additional_emails"


@op(ins=AFTER, out=DONE, tags={"kind": "hubspot"})
def match_contacts(context: OpExecutionContext, batch: BatchResource, hubspot: HubSpotResource) -> None:
    """Find the customers of the paid invoices among the contacts, by e-mail, 100 a call. Two contacts cannot share an e-mail."""
    step = Step("match")
    work = batch.work(context)
    jobs = [job for job in work.jobs() if "invoice" in job.checkpoint and "contact" not in job.checkpoint]
    if not jobs:
        show(context, summary="No contact is left to match.", matched=0)
        return
    try:
        partner = partner_of(work, jobs[0], hubspot)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No contact was asked for ({error.reason}).", matched=0)
        return
    target = partner.target
    invoices = {job.id: invoice_from_json(job.checkpoint["invoice"]) for job in jobs}
    answers, ends = in_calls(
        work,
        target.id,
        [job for job in jobs if invoices[job.id].email],
        size=MAX_INPUTS,
        call=lambda group: partner.client.contacts_by_email(emails_of(group, invoices), properties=[OTHER_EMAILS]),
    )
    contacts = {email.lower(): contact for answer in answers for email, contact in answer.items()}
    failed_ids = {end.job.id for end in ends}
    progress = []
    for job in jobs:
        if job.id in failed_ids:
            continue
        contact = contacts.get((invoices[job.id].email or "").lower())
        if contact is None:
            ends.append(JobEnd(job, missing(invoices[job.id], settings=partner.source.settings)))
            progress.append(Progress(job, entries=[step.entry("no contact with the customer's e-mail")]))
            continue
        related = RelatedRecord(
            "hubspot", "contact", contact.id, "READ", url=record_url("hubspot", "contact", contact.id, account=target.external_id)
        )
        entry = step.entry(f"contact {contact.id} found")
        progress.append(Progress(job, checkpoint={"contact": {"id": contact.id}}, entries=[entry], related=[related]))
    work.settle(ends, learned=progress)
    show(
        context,
        summary=f"Found {len(jobs) - len(ends)} of {counted(len(jobs), 'customer')} in {counted(len(answers), 'call')}.",
        links={
            f"contact {one.id}": record_url("hubspot", "contact", one.id, account=target.external_id)
            for one in first_few(contacts.values())
        },
        rows=[job_row(end.job, type(end.end).__name__.lower()) for end in ends],
        calls=len(answers),
        matched=len(jobs) - len(ends),
    )


def emails_of(jobs: Sequence[ClaimedJob], invoices: Mapping[UUID, PaidInvoice]) -> list[str]:
    return sorted({email.lower() for job in jobs if (email := invoices[job.id].email)})


def missing(invoice: PaidInvoice, *, settings: Mapping[str, object]) -> Completed | Failed:
    """A customer that HubSpot does not know: a result, or a failure where the connection's setting `missing_contact` says so."""
    if settings.get("missing_contact", MissingContact.SKIP) == MissingContact.FAIL:
        return Failed("contact_missing", f"HubSpot has no contact for the customer of invoice {invoice.id}.", permanent=True)
    return Completed({"skipped": "the customer is not a HubSpot contact"})
