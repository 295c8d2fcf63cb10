"""The op that writes notes on deals and contacts in HubSpot: each once."""

from collections.abc import Mapping, Sequence

from dagster import OpExecutionContext, op

from zixly_core.effects import TargetWrite, WriteOutcome, Written, creation
from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, Failed, RelatedRecord, failure_from
from zixly_core.operations import NOTE_CREATE
from zixly_core.record_links import record_url
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.stores.effects import SourceState, save_source_states
from zixly_core.systems.hubspot.client import MAX_INPUTS, HubSpotClient
from zixly_core.systems.hubspot.notes import EFFECT_PROPERTY, NewNote
from zixly_core.systems.hubspot.writes import WriteResult
from zixly_core.workflows.completed_tasks import Note, note_from_json
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.halves import in_halves
from zixly_dagster.ops.steps import Done, Outcome, creating, keep_outcomes, pending, plans_of, source_of, stopped, target_of
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import SETTLES_IN, VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.hubspot import HubSpotResource

OPERATION = NOTE_CREATE
# What people see as the name of the property that holds our key.
KEY_LABEL = "Zixly effect"


@op(ins=AFTER, out=DONE, tags={"kind": "hubspot"})
def write_notes(context: OpExecutionContext, batch: BatchResource, hubspot: HubSpotResource) -> None:
    """Write the batch's notes, 100 a call. HubSpot has no idempotency keys, so each note carries one of ours."""
    step = Step("note")
    work = batch.work(context)
    jobs = pending(work, needs=["note"], lacks="result")
    if not jobs:
        show(context, summary="No note is left to write.", written=0)
        return
    try:
        target = target_of(work, source_of(work, jobs[0]), system="hubspot")
        client = hubspot.client(work, target.id)
        client.ensure_property("notes", EFFECT_PROPERTY, label=KEY_LABEL)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No note was written ({error.reason}).", written=0)
        return
    notes = {job.id: note_from_json(job.checkpoint["note"]) for job in jobs}
    writes = {job.id: write_of(job, notes[job.id], target) for job in jobs}
    by_key = {writes[job.id].effect_key: notes[job.id] for job in jobs}
    done = carried_out(work, list(writes.values()), note_writes(client, target, by_key))
    outcomes: list[tuple[ClaimedJob, Outcome]] = [
        (job, outcome_of(writes[job.id], notes[job.id], outcome, portal=target.external_id))
        for job in jobs
        if (outcome := done.outcomes.get(writes[job.id].effect_key)) is not None
    ]
    told = {
        job.source_key: SourceState(notes[job.id].at, {"completed_at": notes[job.id].at.isoformat()})
        for job, outcome in outcomes
        if isinstance(outcome, Done) and not job.is_dry_run
    }
    save_source_states(work.database, work.run, workflow=work.row()["workflow"], states=told)
    written = keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Wrote {counted(written, 'note')} in {counted(done.calls, 'call')}.",
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        calls=done.calls,
        written=written,
    )


def write_of(job: ClaimedJob, note: Note, target: ConfiguredConnection) -> TargetWrite:
    """A task that is completed again after it was reopened is told again."""
    content = {"on": f"{note.record_type} {note.record_id}", "at": note.at.isoformat(), "body": note.body}
    return creation(
        job,
        system="hubspot",
        account=target.external_id,
        operation=OPERATION,
        source_key=job.source_key,
        part=note.at.isoformat(),
        content=content,
    )


def note_writes(client: HubSpotClient, target: ConfiguredConnection, notes: Mapping[str, Note]) -> VendorWrites:
    return VendorWrites(
        connection_id=target.id,
        size=MAX_INPUTS,
        look=lambda writes: there_already(client, writes, notes),
        send=lambda writes: made(client, writes, notes),
        settles_in=SETTLES_IN,
    )


def there_already(client: HubSpotClient, writes: Sequence[TargetWrite], notes: Mapping[str, Note]) -> dict[str, Mapping[str, str]]:
    """The notes that bear our keys, found by what they are about and not by search, which lags behind writes."""
    keys = {write.vendor_key: write.effect_key for write in writes}
    found: dict[str, Mapping[str, str]] = {}
    for record_type in sorted({notes[write.effect_key].record_type for write in writes}):
        ids = sorted({notes[one.effect_key].record_id for one in writes if notes[one.effect_key].record_type == record_type})
        for some in client.notes_of(record_type, ids).values():
            found.update({keys[note.effect_key]: {"id": note.id} for note in some if note.effect_key in keys})
    return found


def made(client: HubSpotClient, writes: Sequence[TargetWrite], notes: Mapping[str, Note]) -> dict[str, WriteOutcome]:
    new = [new_note(write, notes[write.effect_key]) for write in writes]
    answers = in_halves(
        new, lambda some: list(client.create_notes(some).values()), refused=lambda one, error: WriteResult(one.effect_key, "", error=error)
    )
    results = {answer.trace_id: answer for answer in answers}
    outcomes: dict[str, WriteOutcome] = {}
    for write in writes:
        result = results[write.vendor_key]
        outcomes[write.effect_key] = failure_from(result.error) if result.error is not None else Written({"id": result.record_id})
    return outcomes


def new_note(write: TargetWrite, note: Note) -> NewNote:
    return NewNote(effect_key=write.vendor_key, body_html=note.body, at=note.at, to=((note.record_type, note.record_id),))


def outcome_of(write: TargetWrite, note: Note, outcome: WriteOutcome, *, portal: str) -> Outcome:
    match outcome:
        case Failed() as failure:
            return stopped(failure)
        case Written() as written:
            note_id = str(written.result["id"])
            result = {"note_id": note_id, f"{note.record_type}_id": note.record_id}
            checkpoint = {"result": result, **plans_of({write.effect_key: written})}
            if written.planned is not None:
                return Done("a note would be written", checkpoint=checkpoint)
            url = record_url("hubspot", note.record_type, note.record_id, account=portal)
            related = [
                RelatedRecord("hubspot", "note", note_id, creating(written), url=url),
                RelatedRecord("hubspot", note.record_type, note.record_id, "UPDATE", url=url),
            ]
            words = f"note {note_id} written" if written.changed else f"note {note_id} was written before"
            return Done(words, checkpoint=checkpoint, related=related)
