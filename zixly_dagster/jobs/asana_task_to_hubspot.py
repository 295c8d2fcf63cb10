"""`asana-task-to-hubspot`: a task was completed in Asana, so a note on its deal or contact in HubSpot says so."""

from __future__ import annotations

from dagster import JobDefinition, in_process_executor, job

from zixly_dagster.ops.batch import claim_jobs, conclude, settle_jobs
from zixly_dagster.ops.fetch_tasks import fetch_tasks
from zixly_dagster.ops.keep_report import keep_report
from zixly_dagster.ops.write_notes import write_notes
from zixly_dagster.workflow import Workflow

NAME = "asana-task-to-hubspot"


@job(
    name="asana_task_to_hubspot",
    executor_def=in_process_executor,
    tags={"dagster/kind": "asana"},
    description=(
        "**A task was completed in Asana: write a note on the deal or contact that it belongs to.**\n\n"
        "`claim jobs` → `fetch tasks` → `write notes` → `keep report` → `settle jobs` → `conclude`\n\n"
        "Works on one batch of jobs. Asana says only that `completed` changed, so the run reads the tasks as they are now. A task belongs "
        "to the deal that it was made for, or to the record that its custom field names. *Re-execute*, whole or from failure, takes the "
        "run's unfinished jobs and goes on from each one's checkpoint; no note is written twice."
    ),
)
def asana_task_to_hubspot() -> None:
    conclude(settle_jobs(keep_report(write_notes(fetch_tasks(claim_jobs())))))


def workflow() -> Workflow:
    """What triggers it: the field `completed` of a task changed, either way."""
    definition: JobDefinition = asana_task_to_hubspot
    return Workflow(
        name=NAME,
        system="asana",
        title="Asana task completed → HubSpot note",
        job=definition,
        record_form="asana:task:{id}",
        triggers=("asana:task.changed:completed", "callbacks:callback.task.changed"),
    )
