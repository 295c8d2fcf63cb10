"""The ops that make the projects of won deals in Asana, and the tasks in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from dagster import OpExecutionContext, op

from zixly_core.effects import TargetWrite, WriteOutcome, Written, creation
from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, Failed, RelatedRecord, failure_from
from zixly_core.operations import PROJECT_CREATE
from zixly_core.record_links import record_url
from zixly_core.stores.connections import ConfiguredConnection
from zixly_core.systems.asana.client import AsanaClient
from zixly_core.systems.asana.projects import NewProject
from zixly_core.systems.asana.tasks import NewTask
from zixly_core.workflows.task_links import external_data_of
from zixly_core.workflows.won_deals import ProjectPlan, project_from_json
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import (
    Done,
    Outcome,
    Stop,
    creating,
    first_failure,
    keep_outcomes,
    pending,
    plans_of,
    source_of,
    stopped,
    target_of,
)
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import SETTLES_IN, VendorWrites, carried_out
from zixly_dagster.resources.asana import AsanaResource
from zixly_dagster.resources.batch import BatchResource, BatchWork

PROJECT = PROJECT_CREATE
TASK = "asana.task.create"
# Records made under one lock: Asana takes them one by one, and a lock is to be held for seconds, not for a minute.
AT_ONCE = 10
# What a project's notes end in, so that one that was made without our hearing of it is found again.
MARK = "Made by Zixly: "


@op(ins=AFTER, out=DONE, tags={"kind": "asana"})
def make_projects(context: OpExecutionContext, batch: BatchResource, asana: AsanaResource) -> None:
    """Make one project in Asana for each deal whose connection has a template; the others go by."""
    step = Step("project")
    work = batch.work(context)
    jobs = pending(work, needs=["invoice", "deal"], lacks="project")
    wanting = [job for job in jobs if job.checkpoint["project_plan"]]
    without: list[tuple[ClaimedJob, Outcome]] = [
        (job, Done("no project is wanted", checkpoint={"project": None})) for job in jobs if not job.checkpoint["project_plan"]
    ]
    keep_outcomes(work, step, without)
    if not wanting:
        show(context, summary="No project is to be made.", made=0)
        return
    desk = desk_of(work, wanting, asana, step=step)
    if desk is None:
        show(context, summary="No project was made: the Asana connection cannot be used now.", made=0)
        return
    plans = {job.id: project_from_json(job.checkpoint["project_plan"]) for job in wanting}
    writes = {job.id: desk.project(job, plans[job.id]) for job in wanting}
    by_key = {writes[job.id].effect_key: plans[job.id] for job in wanting}
    done = carried_out(work, list(writes.values()), desk.project_writes(by_key))
    outcomes: list[tuple[ClaimedJob, Outcome]] = [
        (job, project_outcome(writes[job.id], outcome))
        for job in wanting
        if (outcome := done.outcomes.get(writes[job.id].effect_key)) is not None
    ]
    made = keep_outcomes(work, step, outcomes)
    show(context, summary=f"Made {counted(made, 'project')}.", rows=[job_row(job, one.message) for job, one in outcomes], made=made)


@op(ins=AFTER, out=DONE, tags={"kind": "asana"})
def add_tasks(context: OpExecutionContext, batch: BatchResource, asana: AsanaResource) -> None:
    """Add the template's tasks to the new projects. Each task knows its deal, so that its completion is told there."""
    step = Step("tasks")
    work = batch.work(context)
    jobs = pending(work, needs=["project"], lacks="result")
    without: list[tuple[ClaimedJob, Outcome]] = [(job, finished(job)) for job in jobs if job.checkpoint["project"] is None]
    keep_outcomes(work, step, without)
    wanting = [job for job in jobs if job.checkpoint["project"] is not None]
    if not wanting:
        show(context, summary="No task is to be made.", made=0)
        return
    desk = desk_of(work, wanting, asana, step=step)
    if desk is None:
        show(context, summary="No task was made: the Asana connection cannot be used now.", made=0)
        return
    writes = {job.id: desk.tasks(job, project_from_json(job.checkpoint["project_plan"])) for job in wanting}
    done = carried_out(work, [write for some in writes.values() for write in some], desk.task_writes())
    outcomes = [(job, outcome) for job in wanting if (outcome := tasks_outcome(job, writes[job.id], done.outcomes)) is not None]
    keep_outcomes(work, step, outcomes)
    made = sum(1 for one in done.outcomes.values() if isinstance(one, Written) and one.changed)
    show(context, summary=f"Made {counted(made, 'task')}.", rows=[job_row(job, one.message) for job, one in outcomes], made=made)


def desk_of(work: BatchWork, jobs: Sequence[ClaimedJob], asana: AsanaResource, *, step: Step) -> "Desk | None":
    """The tenant's Asana; None when it cannot be used, and then the jobs' attempts have ended with the reason."""
    try:
        source = source_of(work, jobs[0])
        target = target_of(work, source, system="asana")
        return Desk(asana.client(work, target.id), target, source)
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        return None


class Desk:
    """A workspace at Asana: what is to be made there, and how it is made, looked for and told."""

    def __init__(self, client: AsanaClient, target: ConfiguredConnection, source: ConfiguredConnection) -> None:
        self._client = client
        self._target = target
        self._source = source

    def project(self, job: ClaimedJob, plan: ProjectPlan) -> TargetWrite:
        content = {"name": plan.name, "due_on": plan.due_on.isoformat() if plan.due_on else "", "team": plan.team or ""}
        return creation(
            job, system="asana", account=self._target.external_id, operation=PROJECT, source_key=job.source_key, content=content
        )

    def project_writes(self, plans: Mapping[str, ProjectPlan]) -> VendorWrites:
        """Asana knows no idempotency key, so a request without an answer is given time to arrive before it is repeated."""
        return VendorWrites(
            connection_id=self._target.id,
            size=AT_ONCE,
            look=self._projects_there,
            send=lambda writes: each_sent(writes, lambda write: self._make_project(write, plans[write.effect_key])),
            settles_in=SETTLES_IN,
        )

    def tasks(self, job: ClaimedJob, plan: ProjectPlan) -> list[TargetWrite]:
        project = str(job.checkpoint["project"]["id"])
        return [
            creation(
                job,
                system="asana",
                account=self._target.external_id,
                operation=TASK,
                source_key=job.source_key,
                part=str(number),
                content={
                    "name": task.name,
                    "notes": task.notes,
                    "due_on": task.due_on.isoformat() if task.due_on else "",
                    "project": project,
                },
            )
            for number, task in enumerate(plan.tasks, start=1)
        ]

    def task_writes(self) -> VendorWrites:
        return VendorWrites(
            connection_id=self._target.id,
            size=AT_ONCE,
            look=self._tasks_there,
            send=lambda writes: each_sent(writes, self._make_task),
            settles_in=SETTLES_IN,
        )

    def _projects_there(self, writes: Sequence[TargetWrite]) -> dict[str, Mapping[str, str]]:
        """The projects that bear our marks, by effect key. All projects of the workspace are read: search lags behind writes."""
        wanted = {MARK + write.vendor_key: write.effect_key for write in writes}
        found: dict[str, Mapping[str, str]] = {}
        for project in self._client.projects():
            mark = next((mark for mark in wanted if mark in project.notes), None)
            if mark is not None:
                found.setdefault(wanted[mark], {"id": project.gid})
        return found

    def _tasks_there(self, writes: Sequence[TargetWrite]) -> dict[str, Mapping[str, str]]:
        tasks = {write.effect_key: self._client.task_by_external(write.vendor_key) for write in writes}
        return {key: {"id": task.gid} for key, task in tasks.items() if task is not None}

    def _make_project(self, write: TargetWrite, plan: ProjectPlan) -> Written:
        notes = f"{MARK}{write.vendor_key}"
        new = NewProject(name=plan.name, notes=notes, workspace=self._target.external_id, team=plan.team, due_on=plan.due_on)
        return Written({"id": self._client.create_project(new).gid})

    def _make_task(self, write: TargetWrite) -> Written:
        plan = project_from_json(write.job.checkpoint["project_plan"])
        task = plan.tasks[int(write.target_key.rpartition("#")[2]) - 1]
        new = NewTask(
            name=task.name,
            notes=task.notes,
            project_gid=write.content["project"],
            due_on=task.due_on,
            assignee=None,
            external_gid=write.vendor_key,
            external_data=external_data_of("deal", write.job.record_id, portal=self._source.external_id),
        )
        return Written({"id": self._client.create_task(new).gid})


def each_sent(writes: Sequence[TargetWrite], send: Callable[[TargetWrite], Written]) -> dict[str, WriteOutcome]:
    """Send writes one by one. After a failure that the others would share, they are left for the next try, unsent."""
    outcomes: dict[str, WriteOutcome] = {}
    failure: Failed | None = None
    for write in writes:
        if failure is not None:
            outcomes[write.effect_key] = failure
            continue
        try:
            outcomes[write.effect_key] = send(write)
        except ZixlyError as error:
            outcomes[write.effect_key] = failed = failure_from(error)
            failure = None if failed.permanent else replace(failed, was_sent=False)
    return outcomes


def project_outcome(write: TargetWrite, outcome: WriteOutcome) -> Outcome:
    match outcome:
        case Failed() as failure:
            return stopped(failure)
        case Written() as written:
            project = str(written.result["id"])
            checkpoint = {"project": {"id": project}, **plans_of({write.effect_key: written})}
            if written.planned is not None:
                return Done("a project would be made", checkpoint=checkpoint)
            related = RelatedRecord("asana", "project", project, creating(written), url=record_url("asana", "project", project))
            return Done(f"project {project} made", checkpoint=checkpoint, related=[related])


def tasks_outcome(job: ClaimedJob, writes: Sequence[TargetWrite], outcomes: Mapping[str, WriteOutcome]) -> Outcome | None:
    """What became of all the tasks of one job; None when it was lost to another run."""
    mine = {write.effect_key: outcomes.get(write.effect_key) for write in writes}
    if (failure := first_failure(list(mine.values()))) is not None:
        return Stop(failure, failure.message)
    written = {key: one for key, one in mine.items() if isinstance(one, Written)}
    if len(written) < len(mine):
        return None
    return finished(job, tasks={str(one.result["id"]): one for one in written.values() if not one.planned}, plans=plans_of(mine))


def finished(job: ClaimedJob, *, tasks: Mapping[str, Written] | None = None, plans: Mapping[str, object] | None = None) -> Done:
    """The result of a deal's job."""
    kept, project, made = job.checkpoint, job.checkpoint["project"], tasks or {}
    result = {"contact_id": kept["customer"]["id"], "invoice_id": kept["invoice"]["id"], "invoice_number": kept["invoice"]["number"]}
    if project is not None:
        result |= {"project_id": project["id"], "tasks": list(made)}
    related = [RelatedRecord("asana", "task", task, creating(one), url=record_url("asana", "task", task)) for task, one in made.items()]
    words = f"{counted(len(made), 'task')} made" if made else f"{counted(len(plans or {}), 'task')} would be made"
    return Done(words, checkpoint={"result": result, **(plans or {})}, related=related)
