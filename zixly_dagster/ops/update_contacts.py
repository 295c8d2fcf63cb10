"""The op that writes contacts' properties: each write once, and never an older state over a newer one."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from dagster import OpExecutionContext, op

from zixly_core.effects import EffectState, Folded, TargetWrite, WriteOutcome, Written, folded
from zixly_core.errors import Permanent, ZixlyError
from zixly_core.job import ClaimedJob, Completed, Failed, JobEnd, RelatedRecord, failure_from
from zixly_core.stores.claims import Progress
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.effects import SourceState, intend, save_source_states, write_guarded
from zixly_core.systems.hubspot.client import MAX_INPUTS, HubSpotClient
from zixly_core.systems.hubspot.contacts import Contact, ContactUpdate, WriteResult
from zixly_core.systems.hubspot.links import record_url
from zixly_core.workflows.paid_invoices import PAID, invoice_from_json, properties_from
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.partners import Partner, partner_of
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all, note_budget
from zixly_dagster.resources.batch import BatchResource, BatchWork
from zixly_dagster.resources.hubspot import HubSpotResource

OPERATION = "hubspot.contact.update"

# The reason of a call that HubSpot answered with 400 (http_errors.py), and how many such answers one batch may cost: one bad
# update among 100 is found with 8, two with 15.
REFUSED = "refused"
MAX_REFUSALS = 16


@op(ins=AFTER, out=DONE, tags={"kind": "hubspot"})
def update_contacts(context: OpExecutionContext, batch: BatchResource, hubspot: HubSpotResource) -> None:
    """Write the paid invoices into their contacts' properties, 100 a call. One write for each contact: the newest invoice's."""
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
    known = intend(work.database, work.run, plan.leading)
    results: dict[UUID, WriteOutcome] = {
        write.job.id: Written({"contact_id": write.target_id}, changed=False)
        for write in plan.leading
        if known[write.effect_key] is EffectState.DONE
    }
    open_writes = [write for write in plan.leading if write.job.id not in results]
    calls = 0
    stale: list[TargetWrite] = []
    for start in range(0, len(open_writes), MAX_INPUTS):
        group = open_writes[start : start + MAX_INPUTS]
        guarded = write_guarded(
            work.database,
            work.run,
            group,
            perform=lambda going: performed(work, partner, going, known=known),
        )
        calls += 1
        results.update(guarded.outcomes)
        stale += guarded.stale
    finish(
        work,
        results,
        plan,
        stale=stale,
        step=step,
        url_of=lambda contact: record_url("contact", contact, portal_id=target.external_id),
    )
    changed = sum(1 for one in results.values() if isinstance(one, Written) and one.changed)
    show(
        context,
        summary=f"Wrote {counted(changed, 'contact')} in {counted(calls, 'call')} for {counted(len(jobs), 'job')}.",
        links={f"contact {one.target_id}": record_url("contact", one.target_id, portal_id=target.external_id) for one in plan.leading},
        rows=[job_row(write.job, outcome_words(results.get(write.job.id))) for write in plan.leading],
        calls=calls,
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
        source_key=job.record_key,
        source_version=invoice.updated_at,
        content=properties_from(invoice, mapping),
    )


def performed(
    work: BatchWork, partner: Partner, writes: Sequence[TargetWrite], *, known: Mapping[str, EffectState]
) -> dict[UUID, WriteOutcome]:
    """Send the writes. One that was intended by an earlier try may have arrived: its contact is read first."""
    doubtful = [write for write in writes if known[write.effect_key] is EffectState.INTENDED]
    try:
        there = {write.job.id for write in arrived(partner.client, doubtful, properties=sorted(partner.mapping))}
        going = [write for write in writes if write.job.id not in there]
        updates = [ContactUpdate(write.target_id, write.content, trace_id=str(write.job.id)) for write in going]
        answers = written_apart(partner.client, updates)
    except ZixlyError as error:
        note_budget(work, partner.target.id, error)
        return {write.job.id: failure_from(error) for write in writes}
    outcomes: dict[UUID, WriteOutcome] = {
        write.job.id: Written({"contact_id": write.target_id}, changed=False) for write in writes if write.job.id in there
    }
    by_trace = {answer.trace_id: answer for answer in answers}
    for write in going:
        answer = by_trace[str(write.job.id)]
        done = Written({"contact_id": write.target_id})
        outcomes[write.job.id] = done if answer.error is None else failure_from(answer.error)
    return outcomes


def written_apart(client: HubSpotClient, updates: Sequence[ContactUpdate]) -> list[WriteResult]:
    """One result for each update. HubSpot refuses a whole call for one value that does not fit, and then has written nothing of
    it; so a refused call is sent again in halves until the update at fault stands alone, within `MAX_REFUSALS` calls."""
    results: list[WriteResult] = []
    waiting, refusals = [list(updates)] if updates else [], 0
    while waiting:
        group = waiting.pop()
        try:
            results += client.update_contacts(group)
        except Permanent as error:
            if error.reason != REFUSED:
                raise
            refusals += 1
            if len(group) == 1 or refusals >= MAX_REFUSALS:
                results += [WriteResult(update.trace_id, update.contact_id, error=error) for update in group]
            else:
                half = len(group) // 2
                waiting += [group[half:], group[:half]]
    return results


def arrived(client: HubSpotClient, writes: Sequence[TargetWrite], *, properties: Sequence[str]) -> list[TargetWrite]:
    """The writes whose contacts show already what would be written."""
    if not writes:
        return []
    contacts = client.contacts_by_ids([write.target_id for write in writes], properties=properties)
    return [write for write in writes if write.target_id in contacts and shows(contacts[write.target_id], write.content)]


def shows(contact: Contact, content: Mapping[str, str]) -> bool:
    return all((contact.properties.get(name) or "") == value for name, value in content.items())


def finish(
    work: BatchWork,
    results: Mapping[UUID, WriteOutcome],
    plan: Folded,
    *,
    stale: Sequence[TargetWrite],
    step: Step,
    url_of: Callable[[str], str],
) -> None:
    """Keep what was written, and end the jobs that failed or need nothing more."""
    ends: list[JobEnd] = []
    progress: list[Progress] = []
    acted: list[TargetWrite] = list(stale)
    for write in plan.leading:
        match results.get(write.job.id):
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
        match results.get(leader.job.id):
            case Failed() as failure:  # what would have stood for this write was not written
                ends.append(JobEnd(write.job, failure))
                progress.append(Progress(write.job, entries=[step.entry(failure.message)]))
            case None if leader not in stale:
                pass  # lost to another run
            case _:
                acted.append(write)
                ends.append(JobEnd(write.job, Completed({"superseded_by": str(leader.job.id), "contact_id": write.target_id})))
    states = {write.source_key: SourceState(write.source_version, {"status": PAID}) for write in acted}
    save_source_states(work.database, work.run, workflow=work.row()["workflow"], states=states)
    work.keep(progress)
    work.settle(ends)


def written_progress(write: TargetWrite, written: Written, *, step: Step, url: str) -> Progress:
    words = f"contact {write.target_id} updated" if written.changed else f"contact {write.target_id} was up to date already"
    return Progress(
        write.job,
        checkpoint={"result": {"contact_id": write.target_id, "changed": written.changed, "properties": sorted(write.content)}},
        entries=[step.entry(words)],
        related=[RelatedRecord("hubspot", "contact", write.target_id, "UPDATE" if written.changed else "READ", url=url)],
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
