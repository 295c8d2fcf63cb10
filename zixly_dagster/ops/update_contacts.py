"""The op that writes contacts' properties: each write once, and never an older state over a newer one."""

from collections.abc import Callable, Mapping, Sequence

from dagster import OpExecutionContext, op

from zixly_core.effects import Folded, TargetWrite, WriteOutcome, Written, folded
from zixly_core.errors import Permanent, ZixlyError
from zixly_core.job import ClaimedJob, Completed, Failed, JobEnd, RelatedRecord, failure_from
from zixly_core.record_links import record_url
from zixly_core.stores.claims import Progress
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.effects import SourceState, save_source_states
from zixly_core.systems.hubspot.client import MAX_INPUTS, HubSpotClient
from zixly_core.systems.hubspot.contacts import ContactUpdate
from zixly_core.systems.hubspot.writes import WriteResult
from zixly_core.workflows.paid_invoices import invoice_from_json, properties_from
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.halves import in_halves
from zixly_dagster.ops.partners import Partner, partner_of
from zixly_dagster.ops.steps import plans_of
from zixly_dagster.ops.story import Step, counted, first_few, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource, BatchWork
from zixly_dagster.resources.hubspot import HubSpotResource

OPERATION = "hubspot.contact.update"


@op(ins=AFTER, out=DONE, tags={"kind": "hubspot"})
def update_contacts(context: OpExecutionContext, batch: BatchResource, hubspot: HubSpotResource) -> None:
    """Write the invoices' standing into their contacts' properties, 100 a call. One write for each contact: the newest invoice's."""
    step = Step("update")
    work = batch.work(context)
    jobs = [job for job in work.jobs() if "contact" in job.checkpoint and "result" not in job.checkpoint]
    if not jobs:
        show(context, summary="Nothing is left to write.", written=0)
        return
    try:
        partner = partner_of(work, jobs[0], hubspot)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No contact was written ({error.reason}).", written=0)
        return
    target = partner.target
    plan = folded([write_for(job, target=target, mapping=partner.mapping) for job in jobs])
    done = carried_out(work, plan.leading, contact_writes(partner))
    results, stale = done.outcomes, done.stale
    finish(
        work,
        results,
        plan,
        stale=stale,
        step=step,
        url_of=lambda contact: record_url("hubspot", "contact", contact, account=target.external_id),
    )
    changed = sum(1 for one in results.values() if isinstance(one, Written) and one.changed)
    show(
        context,
        summary=f"Wrote {counted(changed, 'contact')} in {counted(done.calls, 'call')} for {counted(len(jobs), 'job')}.",
        links={
            f"contact {one.target_id}": record_url("hubspot", "contact", one.target_id, account=target.external_id)
            for one in first_few(plan.leading)
        },
        rows=[job_row(write.job, outcome_words(results.get(write.effect_key))) for write in plan.leading],
        calls=done.calls,
        written=changed,
        folded=len(plan.needless),
        outdated=len(stale),
    )


def write_for(job: ClaimedJob, *, target: ConfiguredConnection, mapping: Mapping[str, str]) -> TargetWrite:
    invoice = invoice_from_json(job.checkpoint["invoice"])
    contact_id = str(job.checkpoint["contact"]["id"])
    return TargetWrite(
        job=job,
        system="hubspot",
        operation=OPERATION,
        target_id=contact_id,
        target_key=f"hubspot:{target.external_id}:contact:{contact_id}",
        source_key=job.source_key,
        source_version=invoice.updated_at,
        content=properties_from(invoice, mapping),
    )


def contact_writes(partner: Partner) -> VendorWrites:
    """How contacts are written. HubSpot shows a write as soon as it has taken it, and the same write twice does no harm: nothing
    has to settle."""
    return VendorWrites(
        connection_id=partner.target.id,
        size=MAX_INPUTS,
        look=lambda writes: {write.effect_key: {"contact_id": write.target_id} for write in arrived(partner, writes)},
        send=lambda writes: sent(partner.client, writes),
        before=lambda writes: values_before(partner, writes),
    )


def sent(client: HubSpotClient, writes: Sequence[TargetWrite]) -> dict[str, WriteOutcome]:
    """Send the writes; what HubSpot said to each."""
    by_trace = {str(write.job.id): write for write in writes}
    updates = [ContactUpdate(write.target_id, write.content, trace_id=trace) for trace, write in by_trace.items()]
    answers = in_halves(updates, client.update_contacts, refused=refused)
    return {
        by_trace[answer.trace_id].effect_key: Written({"contact_id": answer.record_id})
        if answer.error is None
        else failure_from(answer.error)
        for answer in answers
    }


def refused(update: ContactUpdate, error: Permanent) -> WriteResult:
    return WriteResult(update.trace_id, update.contact_id, error=error)


def arrived(partner: Partner, writes: Sequence[TargetWrite]) -> list[TargetWrite]:
    """The writes whose contacts show already what would be written."""
    before = values_before(partner, writes)
    return [write for write in writes if write.effect_key in before and shows(before[write.effect_key], write.content)]


def values_before(partner: Partner, writes: Sequence[TargetWrite]) -> dict[str, Mapping[str, str | None]]:
    """What the contacts' mapped properties hold now, by effect key."""
    contacts = partner.client.contacts_by_ids([write.target_id for write in writes], properties=sorted(partner.mapping))
    return {write.effect_key: contacts[write.target_id].properties for write in writes if write.target_id in contacts}


def shows(properties: Mapping[str, str | None], content: Mapping[str, str]) -> bool:
    return all((properties.get(name) or "") == value for name, value in content.items())


def finish(
    work: BatchWork,
    results: Mapping[str, WriteOutcome],
    plan: Folded,
    *,
    stale: Sequence[TargetWrite],
    step: Step,
    url_of: Callable[[str], str | None],
) -> None:
    """Keep what was written, and end the jobs that failed or need nothing more."""
    ends: list[JobEnd] = []
    progress: list[Progress] = []
    acted: list[TargetWrite] = list(stale)
    for write in plan.leading:
        match results.get(write.effect_key):
            case Written() as written:
                acted.append(write)
                progress.append(written_progress(write, written, step=step, url=url_of(write.target_id)))
            case Failed() as failure:
                ends.append(JobEnd(write.job, failure))
                progress.append(Progress(write.job, entries=[step.entry(failure.message)]))
            case None:
                pass  # outdated, or lost to another run: the one is ended below, the other is not ours any more
    newer = "a newer state was written already"
    ends += [JobEnd(one.job, Completed({"skipped": newer, "contact_id": one.target_id})) for one in stale]
    for write, leader in plan.needless:
        match results.get(leader.effect_key):
            case Failed() as failure:  # what would have stood for this write was not written
                ends.append(JobEnd(write.job, failure))
                progress.append(Progress(write.job, entries=[step.entry(failure.message)]))
            case None if leader not in stale:
                pass  # lost to another run
            case _:
                acted.append(write)
                ends.append(JobEnd(write.job, Completed({"superseded_by": str(leader.job.id), "contact_id": write.target_id})))
    states = {
        one.source_key: SourceState(one.source_version, one.job.checkpoint["invoice"]["state"]) for one in acted if not one.job.is_dry_run
    }
    save_source_states(work.database, work.run, workflow=work.row()["workflow"], states=states)
    work.settle(ends, learned=progress)


def written_progress(write: TargetWrite, written: Written, *, step: Step, url: str | None) -> Progress:
    words = f"contact {write.target_id} updated" if written.changed else f"contact {write.target_id} was up to date already"
    if written.planned is not None:
        words = f"contact {write.target_id} would be updated"
    result = {"contact_id": write.target_id, "changed": written.changed, "properties": sorted(write.content)}
    return Progress(
        write.job,
        checkpoint={"result": result, **plans_of({write.effect_key: written})},
        entries=[step.entry(words)],
        related=[
            RelatedRecord(
                "hubspot", "contact", write.target_id, "UPDATE" if written.changed and written.planned is None else "READ", url=url
            )
        ],
    )


def outcome_words(outcome: WriteOutcome | None) -> str:
    match outcome:
        case Written(changed=True):
            return "written"
        case Written(changed=False):
            return "was so already"
        case Failed(reason=reason):
            return reason
        case _:
            return "left to a newer state or another run"
