"""`backfill_<workflow>` and `backfill_<workflow>_by_day`: for the past what the webhook would have done, a day a run."""

from __future__ import annotations

from functools import cache

from dagster import GraphDefinition, JobDefinition, NodeInvocation, OpDefinition, PartitionsDefinition, in_process_executor

from zixly_core.changed_records import READERS
from zixly_dagster.ops.backfill_days import day_of_all_op, day_op
from zixly_dagster.partitions import DAYS, DAYS_OF_TENANTS
from zixly_dagster.workflow import WORKFLOW_TAG, Workflow, job_name_of
from zixly_dagster.workflows import WORKFLOWS

# Before other runs that wait in Dagster's queue: a day is read in seconds, and what it finds is worked on behind everything else.
QUEUE_PRIORITY = {"dagster/priority": "1"}


def backfill_name(workflow: str) -> str:
    return f"backfill_{job_name_of(workflow)}"


@cache
def backfill_jobs() -> tuple[JobDefinition, ...]:
    """Two for each workflow about records: a day of one tenant, and a day of all. The same ones whoever asks."""
    return tuple(made for name in sorted(READERS) for made in jobs_of(WORKFLOWS[name]))


def jobs_of(workflow: Workflow) -> list[JobDefinition]:
    name = backfill_name(workflow.name)
    one = partitioned(name, day_op(workflow.name, workflow.system), DAYS_OF_TENANTS, workflow, of="one tenant's day")
    every = partitioned(f"{name}_by_day", day_of_all_op(workflow.name, workflow.system), DAYS, workflow, of="a day of every tenant")
    return [one, every]


def partitioned(name: str, reads: OpDefinition, partitions: PartitionsDefinition[str], workflow: Workflow, *, of: str) -> JobDefinition:
    step = NodeInvocation(reads.name, alias="read_day")
    return GraphDefinition(name=name, node_defs=[reads], dependencies={step: {}}).to_job(
        name=name,
        partitions_def=partitions,
        executor_def=in_process_executor,
        tags={"dagster/kind": workflow.system, WORKFLOW_TAG: workflow.name, **QUEUE_PRIORITY},
        description=(
            f"**{workflow.title}, for the past**: a run reads {of} at {workflow.system}, by the tenant's own clock, and makes a job "
            "for each record that changed last in it and of which something is news. The jobs are worked on behind live events, from "
            "the part of the API limits that live work leaves.\n\n"
            "*Materialize / Launch backfill* takes a range of days; the tag `zixly/dry_run: true`, or `dry_run` in the config, only "
            "tells. Repeating a day makes no job for what is known. A run that was stopped or killed goes on by itself. See "
            "`zixly backfill ls`, and the runbook."
        ),
    )
