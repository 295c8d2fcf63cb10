"""A workflow: what triggers it, how it is handed over, and the Dagster job that does it. One file each in `jobs/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dagster import JobDefinition

# Tags that people read in the list of runs: whose, and how many jobs where there are several.
TENANT_TAG = "zixly/tenant"
JOB_COUNT_TAG = "zixly/jobs"
# Tags that programs go by. What begins with `dagster/` is not spread out over that list but stands behind "View all tags", where it can be
# searched for like any other.
BATCH_TAG = "dagster/zixly_batch"
WORKFLOW_TAG = "dagster/zixly_workflow"
SYSTEM_TAG = "dagster/zixly_system"
TENANT_ID_TAG = "dagster/zixly_tenant_id"
LANE_TAG = "dagster/zixly_lane"
PRIORITY_TAG = "dagster/zixly_priority"
# The trace that the run goes on with: of its jobs where that is one, else the batch's own.
TRACE_TAG = "dagster/zixly_trace"
# What the names of the dispatch sensors begin with; our daemon lets them follow one another without a pause.
DISPATCH_PREFIX = "dispatch_"
PRIORITIES = ("high", "normal", "low")


@dataclass(frozen=True)
class Workflow:
    """One line of `WORKFLOWS`; from it the row of table `workflows` is written, which tells the bridge what wants which event."""

    name: str
    system: str
    title: str
    job: JobDefinition
    triggers: tuple[str, ...] = ()
    """Event kinds as `system:CATEGORY.TYPE`; empty for a workflow that only follows another."""
    priority: int = 1
    max_batch: int = 80
    record_form: str | None = None
    """The form of its record keys, with `{account}` and `{id}`: what a person may ask for. None where another workflow or a request
    leads to its jobs."""
    needs_source: bool = True
    """Whether it calls the account that its events came from, and so waits while that one is disconnected or parked."""


def job_name_of(workflow: str) -> str:
    """The Dagster job of a workflow: Dagster's names know no hyphens."""
    return workflow.replace("-", "_")


def run_config_of(batch_id: UUID) -> dict[str, Any]:
    """All that a run is told: its batch. Everything else is in Postgres, under the tenant's policy."""
    return {"resources": {"batch": {"config": {"batch_id": str(batch_id)}}}}
