"""The op that sees how sweeps stand: those that are not over let their jobs wait, without a worker."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from dagster import OpExecutionContext, op

from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, Failed, JobEnd, Waits
from zixly_core.looks import LOOK_EVERY
from zixly_core.stores.claims import Progress
from zixly_core.systems.sweeps.client import SYSTEM, SweepsClient
from zixly_core.systems.sweeps.results import SweepReport, SweepState, SweepStatus
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.sweeps import lost, reports_of, sweep_of, with_sweep
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.resources.batch import BatchResource, BatchWork
from zixly_dagster.resources.sweeps import SweepsResource

Standing = SweepState | SweepReport | None


@op(ins=AFTER, out=DONE, tags={"kind": "sweeps"})
def wait_for_sweeps(context: OpExecutionContext, batch: BatchResource, sweeps: SweepsResource) -> None:
    """Ask how the batch's sweeps stand, all in one call, unless a callback told. Finished ones go on; the jobs of the others wait and
    are looked at again by the sensor `waiting`, so the run ends here."""
    step = Step("wait")
    work = batch.work(context)
    jobs = with_sweep(work)
    if not jobs:
        show(context, summary="No sweep is on its way.", finished=0, waiting=0)
        return
    try:
        standing = standing_of(work, jobs, sweeps.client(work))
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"The service could not tell ({error.reason}).", finished=0, waiting=0)
        return
    ends = [JobEnd(job, end) for job in jobs if (end := end_of(job, standing[job.id])) is not None]
    work.settle(ends, learned=[progress_of(job, standing[job.id], step=step) for job in jobs])
    waiting = sum(1 for end in ends if isinstance(end.end, Waits))
    show(
        context,
        summary=f"{len(jobs) - len(ends)} of {counted(len(jobs), 'sweep')} finished, {waiting} waited for.",
        rows=[job_row(job, words_of(standing[job.id])) for job in jobs],
        finished=len(jobs) - len(ends),
        waiting=waiting,
    )


def standing_of(work: BatchWork, jobs: Sequence[ClaimedJob], client: SweepsClient) -> Mapping[UUID, Standing]:
    """How each job's sweep stands; None for one that the service does not know."""
    reports = reports_of(work, jobs)
    states = client.states([sweep_of(job) for job in jobs if job.id not in reports])
    return {job.id: reports.get(job.id) or states.get(sweep_of(job)) for job in jobs}


def end_of(job: ClaimedJob, standing: Standing) -> Failed | Waits | None:
    """Whether the run is done with the job here; None for one whose result can be fetched."""
    if standing is None:
        return Failed(
            "sweep_gone", f"The service does not know sweep {sweep_of(job)} any more. Retry the job to start another.", permanent=True
        )
    match standing.status:
        case SweepStatus.FINISHED:
            return None
        case SweepStatus.FAILED:
            why = standing.error or "no reason given"
            return Failed(
                "sweep_failed", f"Sweep {sweep_of(job)} failed at the service ({why}). Retry the job to start another.", permanent=True
            )
        case SweepStatus.PENDING | SweepStatus.RUNNING:
            return Waits(f"{SYSTEM}:{sweep_of(job)}", look_after=LOOK_EVERY)


def progress_of(job: ClaimedJob, standing: Standing, *, step: Step) -> Progress:
    """A sweep that came to nothing is forgotten, so that a retry by hand starts another."""
    is_lost = standing is None or standing.status is SweepStatus.FAILED
    return Progress(job, checkpoint=lost(job) if is_lost else {}, entries=[step.entry(f"sweep {sweep_of(job)} is {words_of(standing)}")])


def words_of(standing: Standing) -> str:
    return "unknown to the service" if standing is None else standing.status.value
