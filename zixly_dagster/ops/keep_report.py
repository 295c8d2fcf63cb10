"""The op that keeps a batch's report in the object store, and asks for the documents that a connection wants."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from dagster import MetadataValue, OpExecutionContext, op

from zixly_core.errors import ZixlyError
from zixly_core.job import ClaimedJob, JobStatus
from zixly_core.stores.claims import Progress
from zixly_core.stores.connections import connection_settings
from zixly_core.stores.follow_ups import make_follow_ups
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.story import Step, counted
from zixly_dagster.resources.batch import BatchResource, BatchWork
from zixly_dagster.resources.objects import ObjectsResource

DOCUMENT_WORKFLOW = "xero-invoice-document"


@op(ins=AFTER, out=DONE, tags={"kind": "s3"})
def keep_report(context: OpExecutionContext, batch: BatchResource, objects: ObjectsResource) -> None:
    """Keep the report of the batch under `{tenant}/batches/{batch}/`. One that cannot be kept fails no job."""
    step = Step("report")
    work = batch.work(context)
    jobs = work.jobs()
    reported = work.in_report() if jobs or work.ended() else []
    if not reported:
        context.add_output_metadata({"summary": "No jobs, no report."})
        return
    key = f"{work.run.tenant_id}/batches/{work.run.batch_id}/report.json"
    try:
        objects.store().put(key, report_of(work, reported), content_type="application/json")
    except ZixlyError as error:
        context.log.warning("The report of batch %s was not kept (%s); the ledger has the same facts.", work.run.batch_id, error.reason)
        key = ""
    work.say_last([Progress(job, entries=[step.entry(f"report kept as {key}" if key else "report not kept")]) for job in jobs])
    wanted = documents_wanted(work, jobs)
    context.add_output_metadata(
        {
            "summary": f"Kept the report of {counted(len(reported), 'job')}." if key else "The report was not kept.",
            "report": MetadataValue.path(key or "none"),
            "documents asked for": wanted,
        }
    )


def report_of(work: BatchWork, reported: Sequence[Mapping[str, Any]]) -> bytes:
    """The batch as JSON: what each job came to, in ids and reasons. What is done but not settled yet stands as COMPLETED, which
    the next step makes it."""
    document = {
        "batch_id": work.run.batch_id,
        "run_id": work.run.run_id,
        "jobs": [
            {
                "id": row["id"],
                "workflow": row["workflow_type"],
                "record_id": row["record_id"],
                "status": JobStatus.COMPLETED if is_done(row) else row["status"],
                "run_id": row["run_id"],
                "attempts": row["attempts"],
                "result": row["result"] or row["came_to"],
                "error": row["error_reason"],
            }
            for row in reported
        ],
    }
    return orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2)


def is_done(row: Mapping[str, Any]) -> bool:
    return row["status"] == JobStatus.RUNNING and row["came_to"] is not None


def documents_wanted(work: BatchWork, jobs: Sequence[ClaimedJob]) -> int:
    """Make a low-priority job for the PDF of each invoice written, where the connection's setting `document` is on."""
    written = [job for job in jobs if "result" in job.checkpoint and not job.is_dry_run]
    if not written or not connection_settings(work.database, work.run, written[0].connection_id).get("document"):
        return 0
    return make_follow_ups(work.database, work.run, written, workflow=DOCUMENT_WORKFLOW, system="xero", priority=2)
