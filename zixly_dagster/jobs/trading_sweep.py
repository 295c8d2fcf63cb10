"""`trading-sweep`: somebody asks for a sweep of moving averages; a service computes it, and we keep the result."""

from __future__ import annotations

from dagster import JobDefinition, in_process_executor, job

from zixly_dagster.ops.batch import claim_jobs, conclude, settle_jobs
from zixly_dagster.ops.sweeps_keep import keep_sweeps
from zixly_dagster.ops.sweeps_start import start_sweeps
from zixly_dagster.ops.sweeps_wait import wait_for_sweeps
from zixly_dagster.workflow import Workflow

NAME = "trading-sweep"


@job(
    name="trading_sweep",
    executor_def=in_process_executor,
    tags={"dagster/kind": "sweeps"},
    description=(
        "**A sweep of moving averages was asked for: have it computed, keep the result.**\n\n"
        "`claim jobs` → `start sweeps` → `wait for sweeps` → `keep sweeps` → `settle jobs` → `conclude`\n\n"
        "The first run starts the sweep and ends: its job waits without a worker, looked at every 10 s by the sensor `waiting`, for at "
        "most an hour. When the service is done, or calls back, another run goes on with the same attempt and keeps the result. "
        "*Re-execute* starts no second sweep."
    ),
)
def trading_sweep() -> None:
    conclude(settle_jobs(keep_sweeps(wait_for_sweeps(start_sweeps(claim_jobs())))))


def workflow() -> Workflow:
    """What triggers it: a request that was validated when it was received."""
    definition: JobDefinition = trading_sweep
    return Workflow(
        name=NAME,
        system="callbacks",
        title="Request → trading sweep",
        job=definition,
        triggers=("callbacks:sweep.requested",),
        max_batch=20,
    )
