"""The op that reads tasks from Asana: an event says only that something about a task changed."""

from collections.abc import Mapping
from functools import partial
from zoneinfo import ZoneInfo

from dagster import OpExecutionContext, op

from zixly_core.connection_settings import AsanaSettings, CompletedTasks, settings_in
from zixly_core.errors import Permanent, RecordGone, ZixlyError
from zixly_core.job import ClaimedJob, RelatedRecord
from zixly_core.record_links import record_url
from zixly_core.stores.connections import time_zone
from zixly_core.stores.effects import SourceState, source_states
from zixly_core.systems.asana.tasks import Task
from zixly_core.workflows.completed_tasks import link_of_task, note_of, note_to_json, reason_to_skip
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import Done, Outcome, each_of, keep_outcomes, pending, skipped, source_of, stopped, target_of
from zixly_dagster.ops.story import Step, counted, first_few, job_row, show
from zixly_dagster.ops.vendor_calls import calling, end_all
from zixly_dagster.resources.asana import AsanaResource
from zixly_dagster.resources.batch import BatchResource


@op(ins=AFTER, out=DONE, tags={"kind": "asana"})
def fetch_tasks(context: OpExecutionContext, batch: BatchResource, asana: AsanaResource) -> None:
    """Read the batch's tasks as they are now, and go on with those that are completed and belong to a deal or contact."""
    step = Step("fetch")
    work = batch.work(context)
    jobs = pending(work, lacks="note")
    if not jobs:
        show(context, summary="No task is left to fetch.", fetched=0, completed=0)
        return
    try:
        source = source_of(work, jobs[0])
        rules = Rules(
            settings_in(AsanaSettings, source.settings, connection_id=source.id).completed_tasks,
            portal=target_of(work, source, system="hubspot").external_id,
            zone=time_zone(work.database, work.run),
            seen=source_states(work.database, work.run, workflow=work.row()["workflow"], keys=[job.source_key for job in jobs]),
        )
        with calling(work, source.id):
            tasks = asana.client(work, source.id).tasks_by_ids([job.record_id for job in jobs])
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No task was fetched ({error.reason}).", fetched=0, completed=0)
        return
    outcomes = each_of(jobs, partial(judged, tasks=tasks, rules=rules))
    completed = keep_outcomes(work, step, outcomes)
    show(
        context,
        summary=f"Read {counted(len(tasks), 'task')}; the completion of {completed} is news.",
        links={f"task {gid}": record_url("asana", "task", gid) for gid in first_few(tasks)},
        rows=[job_row(job, outcome.message) for job, outcome in outcomes],
        fetched=len(tasks),
        completed=completed,
    )


class Rules:
    """What a batch's tasks are judged by."""

    def __init__(self, settings: CompletedTasks, *, portal: str, zone: ZoneInfo, seen: Mapping[str, SourceState]) -> None:
        self.settings = settings
        self.portal = portal
        self.zone = zone
        self.seen = seen


def judged(job: ClaimedJob, *, tasks: Mapping[str, Task], rules: Rules) -> Outcome:
    """The note that a job's task gives, or why none."""
    task = tasks.get(job.record_id)
    if task is None:
        return stopped(RecordGone(f"Task {job.record_id} is not in Asana any more; nothing was written."))
    link = link_of_task(task, rules.settings)
    seen, is_repair = rules.seen.get(job.source_key), job.repairs is not None
    why = reason_to_skip(task, link, seen=seen, portal=rules.portal, is_repair=is_repair)
    if why is not None:
        return skipped(why.value)
    if link is None or task.completed_at is None:
        raise Permanent(f"Task {job.record_id} cannot be judged.", reason="unexpected_answer")
    note = note_of(task, link, rules.settings, completed_at=task.completed_at, zone=rules.zone)
    related = RelatedRecord("asana", "task", task.gid, "READ", url=record_url("asana", "task", task.gid))
    return Done(f"task {task.gid} is completed", checkpoint={"note": note_to_json(note)}, related=[related])
