"""The op that fetches finished sweeps and keeps them, as CSV and JSON, with a summary as the job's result."""

from dagster import OpExecutionContext, op

from zixly_core.job import ClaimedJob
from zixly_core.object_store import ObjectStore
from zixly_core.systems.sweeps.client import SweepsClient
from zixly_core.systems.sweeps.results import SweepResult
from zixly_core.workflows.sweep_results import documents_of, summary_of
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import Done, each_of, keep_outcomes
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.sweeps import related, reports_of, sweep_of, with_sweep
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.resources.objects import ObjectsResource
from zixly_dagster.resources.sweeps import SweepsResource


@op(ins=AFTER, out=DONE, tags={"kind": "sweeps"})
def keep_sweeps(context: OpExecutionContext, batch: BatchResource, sweeps: SweepsResource, objects: ObjectsResource) -> None:
    """Keep each finished sweep under `{tenant}/{job}/`: from the callback that brought it, else from the service, one call each."""
    step = Step("keep")
    work = batch.work(context)
    jobs = with_sweep(work)
    if not jobs:
        show(context, summary="No sweep is left to keep.", kept=0)
        return
    client, store = sweeps.client(work), objects.store()
    brought = {job_id: report.result for job_id, report in reports_of(work, jobs).items() if report.result is not None}
    outcomes = each_of(jobs, lambda job: kept(job, brought.get(job.id) or client.result(sweep_of(job)), store=store, client=client))
    count = keep_outcomes(work, step, outcomes)
    rows = [job_row(job, outcome.message) for job, outcome in outcomes]
    show(context, summary=f"Kept {count} of {counted(len(jobs), 'sweep')}.", rows=rows, kept=count, brought=len(brought))


def kept(job: ClaimedJob, result: SweepResult, *, store: ObjectStore, client: SweepsClient) -> Done:
    """Puts replace what a run before left half done."""
    documents = documents_of(job, result)
    for document in documents:
        store.put(document.key, document.data, content_type=document.content_type)
    summary = summary_of(result, documents=documents, url=client.url_of(result.job_id))
    message = f"kept {len(result.pairs)} pairs"
    return Done(message, checkpoint={"result": summary}, related=[related(client, result.job_id)])
