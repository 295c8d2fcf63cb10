"""Jobs to execute in tests: one that does almost nothing in five ops, one that takes long, three that claim a batch."""

import os
import signal
import threading

from dagster import (
    DefaultSensorStatus,
    Definitions,
    In,
    JobDefinition,
    Nothing,
    OpExecutionContext,
    Out,
    RunRequest,
    SensorEvaluationContext,
    in_process_executor,
    job,
    op,
    sensor,
)

from zixly_core.job import Completed, JobEnd
from zixly_dagster.ops.batch import claim_jobs
from zixly_dagster.resources.batch import BatchResource
from zixly_dagster.workflow import LANE_TAG

AFTER = {"after": In(Nothing)}
LONG_SECONDS = 30.0
POISON = "poison"


@op(ins=AFTER, out=Out(Nothing))
def step(context: OpExecutionContext) -> None:
    context.log.info("here")


@op(ins=AFTER, out=Out(Nothing))
def wait(context: OpExecutionContext) -> None:
    context.log.info("waiting in process %s", os.getpid())
    threading.Event().wait(LONG_SECONDS)


@op(out=Out(Nothing))
def do_or_die(context: OpExecutionContext, batch: BatchResource) -> None:
    """Does its jobs, or, when one is about a poisonous record, ends as a process that the system kills."""
    work = batch.work(context)
    jobs = work.jobs()
    if any(job.record_id == POISON for job in jobs):
        os.kill(os.getpid(), signal.SIGKILL)
    work.settle([JobEnd(job, Completed()) for job in jobs])


@job(executor_def=in_process_executor)
def five_steps() -> None:
    done = step()
    for number in range(2, 6):
        done = step.alias(f"step_{number}")(done)


@job(executor_def=in_process_executor)
def long_wait() -> None:
    wait()


@job(executor_def=in_process_executor)
def hold_batch() -> None:
    step(wait(claim_jobs()))


@job(executor_def=in_process_executor)
def claim_only() -> None:
    claim_jobs()


@job(executor_def=in_process_executor)
def poisonous() -> None:
    do_or_die()


@sensor(job=five_steps, minimum_interval_seconds=1, default_status=DefaultSensorStatus.RUNNING)
def once(context: SensorEvaluationContext) -> RunRequest:
    """Asks for one run, which is live."""
    return RunRequest(run_key="once", tags={LANE_TAG: "live"})


JOBS: list[JobDefinition] = [five_steps, long_wait, hold_batch, claim_only, poisonous]

defs = Definitions(jobs=JOBS, sensors=[once], resources={"batch": BatchResource.configure_at_launch()})
