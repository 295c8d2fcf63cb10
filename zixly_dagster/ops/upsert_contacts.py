"""The op that writes the customers of orders into HubSpot: one contact for each address, and never an older order over a newer."""

import hashlib
from collections.abc import Mapping, Sequence

from dagster import OpExecutionContext, op

from zixly_core.connection_settings import PaidOrders, ShopifySettings, settings_in
from zixly_core.effects import Folded, TargetWrite, WriteOutcome, Written, folded
from zixly_core.errors import ZixlyError
from zixly_core.job import Action, ClaimedJob, Failed, RelatedRecord, failure_from
from zixly_core.record_links import record_url
from zixly_core.stores.connections import ConfiguredConnection, has_partner
from zixly_core.systems.hubspot.client import MAX_INPUTS, HubSpotClient
from zixly_core.systems.hubspot.contacts import ContactUpsert
from zixly_core.systems.hubspot.writes import WriteResult
from zixly_core.workflows.paid_orders import contact_properties, email_of, order_from_json
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.halves import in_halves
from zixly_dagster.ops.order_jobs import booked
from zixly_dagster.ops.steps import Done, Outcome, keep_outcomes, plans_of, source_of, stopped, target_of
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.hubspot import HubSpotResource

OPERATION = "hubspot.contact.upsert"
NO_ADDRESS = Done("the order has no e-mail address, so there is no contact", checkpoint={"contact": None})
NO_PORTAL = Done("the client company has no HubSpot connection", checkpoint={"contact": None})


@op(ins=AFTER, out=DONE, tags={"kind": "hubspot"})
def upsert_contacts(context: OpExecutionContext, batch: BatchResource, hubspot: HubSpotResource) -> None:
    """Create or update the contacts of the paid orders' customers, by address, 100 a call; one write for each, the newest order's."""
    step = Step("contact")
    work = batch.work(context)
    jobs = booked(work, needs=["order"], lacks="contact")
    if not jobs:
        show(context, summary="No contact is left to write.", written=0)
        return
    try:
        source = source_of(work, jobs[0])
        if not has_partner(work.database, source, system="hubspot"):
            keep_outcomes(work, step, [(job, NO_PORTAL) for job in jobs])
            show(context, summary="The client company has no HubSpot connection.", written=0)
            return
        settings = settings_in(ShopifySettings, source.settings, connection_id=source.id).paid_orders
        target = target_of(work, source, system="hubspot")
        client = hubspot.client(work, target.id)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No contact was written ({error.reason}).", written=0)
        return
    writes = {job.id: write for job in jobs if (write := write_for(job, target=target, settings=settings)) is not None}
    plan = folded(list(writes.values()))
    done = carried_out(work, plan.leading, contact_writes(client, target))
    outcomes: list[tuple[ClaimedJob, Outcome]] = [(job, NO_ADDRESS) for job in jobs if job.id not in writes]
    outcomes += outcomes_of(plan, done.outcomes, stale=done.stale, target=target)
    keep_outcomes(work, step, outcomes)
    changed = sum(1 for one in done.outcomes.values() if isinstance(one, Written) and one.changed)
    show(
        context,
        summary=f"Wrote {counted(changed, 'contact')} in {counted(done.calls, 'call')} for {counted(len(jobs), 'job')}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        calls=done.calls,
        written=changed,
        folded=len(plan.needless),
        outdated=len(done.stale),
    )


def write_for(job: ClaimedJob, *, target: ConfiguredConnection, settings: PaidOrders) -> TargetWrite | None:
    """The customer's contact as this order has it. The address is in no key: keys stand in logs and errors."""
    order = order_from_json(job.checkpoint["order"])
    email = email_of(order)
    if email is None:
        return None
    return TargetWrite(
        job=job,
        system="hubspot",
        operation=OPERATION,
        target_id="",
        target_key=f"hubspot:{target.external_id}:contact-email:{digest_of(email)}",
        source_key=job.source_key,
        source_version=order.updated_at,
        content={**contact_properties(order, settings), "email": email},
    )


def digest_of(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()[:32]


def contact_writes(client: HubSpotClient, target: ConfiguredConnection) -> VendorWrites:
    """How contacts are written. An address has one contact in HubSpot, so the same write twice does no harm: nothing has to settle."""
    return VendorWrites(
        connection_id=target.id,
        size=MAX_INPUTS,
        look=lambda writes: arrived(client, writes),
        send=lambda writes: sent(client, writes),
        before=lambda writes: {key: properties for key, (_, properties) in contacts_of(client, writes).items()},
    )


def arrived(client: HubSpotClient, writes: Sequence[TargetWrite]) -> dict[str, dict[str, str]]:
    """The contacts that show already what would be written, by effect key."""
    found = contacts_of(client, writes)
    return {
        write.effect_key: {"id": found[write.effect_key][0]}
        for write in writes
        if write.effect_key in found and shows(found[write.effect_key][1], write.content)
    }


def contacts_of(client: HubSpotClient, writes: Sequence[TargetWrite]) -> dict[str, tuple[str, Mapping[str, str | None]]]:
    """Id and properties of the contacts with the writes' addresses, by effect key."""
    properties = sorted({name for write in writes for name in write.content} - {"email"})
    contacts = client.contacts_by_email([write.content["email"] for write in writes], properties=properties)
    found = ((write, contacts.get(write.content["email"])) for write in writes)
    return {write.effect_key: (contact.id, contact.properties) for write, contact in found if contact is not None}


def shows(properties: Mapping[str, str | None], content: Mapping[str, str]) -> bool:
    return all((properties.get(name) or "") == value for name, value in content.items())


def sent(client: HubSpotClient, writes: Sequence[TargetWrite]) -> dict[str, WriteOutcome]:
    """Send the writes; what HubSpot said to each."""
    by_trace = {str(write.job.id): write for write in writes}
    upserts = [ContactUpsert(write.content["email"], without_email(write.content), trace) for trace, write in by_trace.items()]
    answers = in_halves(upserts, client.upsert_contacts, refused=lambda one, error: WriteResult(one.trace_id, "", error=error))
    return {
        by_trace[answer.trace_id].effect_key: failure_from(answer.error)
        if answer.error is not None
        else Written({"id": answer.record_id, "is_new": bool(answer.is_new)})
        for answer in answers
    }


def without_email(content: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in content.items() if name != "email"}


def outcomes_of(
    plan: Folded, results: Mapping[str, WriteOutcome], *, stale: Sequence[TargetWrite], target: ConfiguredConnection
) -> list[tuple[ClaimedJob, Outcome]]:
    """What became of each job's contact. A job whose write was needless goes on: its order has an invoice of its own."""
    outcomes: list[tuple[ClaimedJob, Outcome]] = []
    newer = Done("the contact has a newer order's state already", checkpoint={"contact": None})
    outcomes += [(write.job, newer) for write in stale]
    for write in plan.leading:
        if (result := results.get(write.effect_key)) is not None:
            outcomes.append((write.job, outcome_of(write, result, target=target)))
    for write, leader in plan.needless:
        match results.get(leader.effect_key):
            case Failed() as failure:
                outcomes.append((write.job, stopped(failure)))
            case None if leader not in stale:
                pass  # lost to another run
            case _:
                outcomes.append((write.job, Done(f"the contact is written for job {leader.job.id}", checkpoint={"contact": None})))
    return outcomes


def outcome_of(write: TargetWrite, result: WriteOutcome, *, target: ConfiguredConnection) -> Outcome:
    match result:
        case Failed() as failure:
            return stopped(failure)
        case Written(planned=None) as written:
            contact = str(written.result["id"])
            action: Action = "READ" if not written.changed else "CREATE" if written.result.get("is_new") else "UPDATE"
            url = record_url("hubspot", "contact", contact, account=target.external_id)
            words = f"contact {contact} written" if written.changed else f"contact {contact} was up to date already"
            return Done(
                words, checkpoint={"contact": {"id": contact}}, related=[RelatedRecord("hubspot", "contact", contact, action, url=url)]
            )
        case Written() as planned:
            return Done("a contact would be written", checkpoint={"contact": None, **plans_of({write.effect_key: planned})})
