"""The op that finds the contacts in Xero whom invoices are for, and makes those that are missing."""

from collections.abc import Mapping, Sequence

from dagster import OpExecutionContext, op

from zixly_core.effects import TargetWrite, WriteOutcome, Written, call_key, creation
from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, Failed, RelatedRecord, failure_from
from zixly_core.record_links import record_url
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.effects import note_found
from zixly_core.systems.xero.client import XeroClient
from zixly_core.systems.xero.contacts import Contact, NewContact
from zixly_core.workflows.customers import Party, chosen, name_to_create, party_from_json
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import Done, Outcome, creating, keep_outcomes, pending, plans_of, source_of, stopped, target_of
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import calling, end_all
from zixly_dagster.ops.writing import VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.xero import XeroResource

OPERATION = "xero.contact.create"
CONTACTS_PER_CALL = 50  # the size that Xero advises for writes


@op(ins=AFTER, out=DONE, tags={"kind": "xero"})
def find_customers(context: OpExecutionContext, batch: BatchResource, xero: XeroResource) -> None:
    """Find the parties of the batch's invoices among the contacts in Xero, by e-mail, else by name; make those that are missing."""
    step = Step("customer")
    work = batch.work(context)
    jobs = pending(work, needs=["party"], lacks="customer")
    if not jobs:
        show(context, summary="No customer is left to find.", found=0, made=0)
        return
    try:
        target = target_of(work, source_of(work, jobs[0]), system="xero")
        client = xero.client(work, target.id)
        parties = {job.id: party_from_json(job.checkpoint["party"]) for job in jobs}
        with calling(work, target.id):
            known = Known(client, list(parties.values()))
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No customer was asked for ({error.reason}).", found=0, made=0)
        return
    found = {job.id: contact for job in jobs if (contact := known.contact_of(parties[job.id])) is not None}
    there = {creation_of(job, parties[job.id], known, target).effect_key: {"id": found[job.id].id} for job in jobs if job.id in found}
    note_found(work.database, work.run, there)
    writes = {job.id: creation_of(job, parties[job.id], known, target) for job in jobs if job.id not in found}
    done = carried_out(work, list(writes.values()), contact_creations(client, target))
    outcomes: list[tuple[ClaimedJob, Outcome]] = [(job, found_outcome(found[job.id])) for job in jobs if job.id in found]
    outcomes += [
        (job, made_outcome(writes[job.id], outcome))
        for job in jobs
        if job.id in writes and (outcome := done.outcomes.get(writes[job.id].effect_key)) is not None
    ]
    keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Found {len(found)} of {counted(len(jobs), 'customer')} in Xero, made {len(writes)}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        found=len(found),
        made=len(writes),
    )


class Known:
    """The contacts in Xero that may be some of these parties: read in batches, by e-mail first."""

    def __init__(self, client: XeroClient, parties: Sequence[Party]) -> None:
        emails = sorted({party.email.lower() for party in parties if party.email})
        self._by_email = client.contacts_by_email(emails) if emails else {}
        names = sorted({party.name for party in parties if party.name and not self.with_email(party)})
        self._by_name = client.contacts_by_name(names) if names else {}

    def with_email(self, party: Party) -> Sequence[Contact]:
        return self._by_email.get(party.email.lower(), []) if party.email else []

    def with_name(self, party: Party) -> Sequence[Contact]:
        return self._by_name.get(party.name, [])

    def contact_of(self, party: Party) -> Contact | None:
        return chosen(party, by_email=self.with_email(party), by_name=self.with_name(party))


def creation_of(job: ClaimedJob, party: Party, known: Known, target: ConfiguredConnection) -> TargetWrite:
    content = {
        "Name": name_to_create(party, by_name=known.with_name(party)),
        "EmailAddress": party.email or "",
        "FirstName": party.first_name or "",
        "LastName": party.last_name or "",
    }
    return creation(job, system="xero", account=target.external_id, operation=OPERATION, source_key=party.source_key, content=content)


def contact_creations(client: XeroClient, target: ConfiguredConnection) -> VendorWrites:
    """How contacts are made. Names are unique in Xero, so the same request twice makes one contact: nothing has to settle."""
    return VendorWrites(
        connection_id=target.id,
        size=CONTACTS_PER_CALL,
        look=lambda writes: there_already(client, writes),
        send=lambda writes: made(client, writes),
    )


def there_already(client: XeroClient, writes: Sequence[TargetWrite]) -> dict[str, Mapping[str, str]]:
    """The contacts that bear the names already, by effect key."""
    by_name = client.contacts_by_name([write.content["Name"] for write in writes])
    return {write.effect_key: {"id": by_name[write.content["Name"]][0].id} for write in writes if by_name.get(write.content["Name"])}


def made(client: XeroClient, writes: Sequence[TargetWrite]) -> dict[str, WriteOutcome]:
    """Make the contacts. One that is refused may be there since a moment ago: it is looked for once."""
    new = [contact_from(write) for write in writes]
    results = client.create_contacts(new, idempotency_key=call_key(writes))
    outcomes: dict[str, WriteOutcome] = {}
    for key, result in results.items():
        outcomes[key] = failure_from(result.error) if result.error is not None else Written({"id": result.id})
    refused = [write for write in writes if isinstance(one := outcomes[write.effect_key], Failed) and one.permanent]
    if refused:
        outcomes.update({key: Written(found, changed=False) for key, found in there_already(client, refused).items()})
    return outcomes


def contact_from(write: TargetWrite) -> NewContact:
    content = write.content
    return NewContact(
        key=write.effect_key,
        name=content["Name"],
        email=content["EmailAddress"] or None,
        first_name=content["FirstName"] or None,
        last_name=content["LastName"] or None,
    )


def found_outcome(contact: Contact) -> Done:
    related = RelatedRecord("xero", "contact", contact.id, "READ", url=record_url("xero", "contact", contact.id))
    return Done(f"contact {contact.id} found", checkpoint={"customer": {"id": contact.id}}, related=[related])


def made_outcome(write: TargetWrite, outcome: WriteOutcome) -> Outcome:
    match outcome:
        case Failed() as failure:
            return stopped(failure)
        case Written(planned=None) as written:
            contact_id = str(written.result["id"])
            related = RelatedRecord("xero", "contact", contact_id, creating(written), url=record_url("xero", "contact", contact_id))
            return Done(f"contact {contact_id} made", checkpoint={"customer": {"id": contact_id}}, related=[related])
        case Written() as planned:
            checkpoint = {"customer": {"id": planned.result["id"]}, **plans_of({write.effect_key: planned})}
            return Done("a contact would be made", checkpoint=checkpoint)
