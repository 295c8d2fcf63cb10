"""A dispatch sensor for each system: an operator pauses a system by its switch, and its jobs wait as due, not lost."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from dagster import DefaultSensorStatus, RunRequest, SensorDefinition, SensorEvaluationContext, SkipReason, sensor

from zixly_core.batching import Batch
from zixly_core.dispatcher import Tick
from zixly_core.errors import StoreUnavailable
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import (
    BATCH_TAG,
    DISPATCH_PREFIX,
    JOB_COUNT_TAG,
    LANE_TAG,
    PRIORITIES,
    PRIORITY_TAG,
    SYSTEM_TAG,
    TENANT_ID_TAG,
    TRACE_TAG,
    WORKFLOW_TAG,
    Workflow,
    job_name_of,
    run_config_of,
)


class Ticks(Protocol):
    """What a dispatch sensor is given: `Dispatcher`, or a test's stand-in."""

    def tick(self) -> Tick: ...


def dispatch_sensor(system: str, workflows: Sequence[Workflow], dispatchers: DispatchersResource) -> SensorDefinition:
    """The sensor that hands the due jobs of a system over, one run for each batch.

    It is given the dispatchers, and asks Dagster for no resource: for one that does, Dagster makes an instance with all its storages at
    each tick, which was nearly half of what the code server worked in a burst.
    """

    @sensor(
        name=f"{DISPATCH_PREFIX}{system}",
        jobs=[workflow.job for workflow in workflows],
        minimum_interval_seconds=1,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            f"Hands due {system} jobs over to runs. Switched off, {system} is paused: deliveries are still received, their jobs "
            "wait and go on in order when it is switched on again."
        ),
        tags={SYSTEM_TAG: system},
    )
    def dispatch(_: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
        for one in requests(dispatchers.of(system), system=system):
            yield dispatchers.named(one) if isinstance(one, RunRequest) else one

    return dispatch


def requests(dispatcher: Ticks, *, system: str) -> Iterator[RunRequest | SkipReason]:
    """The run requests of one tick, or why there are none, in words for an operator."""
    try:
        tick = dispatcher.tick()
    except StoreUnavailable as error:
        yield SkipReason(f"Postgres is away, nothing was handed over: {error}")
        return
    for batch in tick.batches:
        yield run_request(batch)
    if tick.workers_away:
        yield SkipReason("The broker of the run workers is away: jobs wait as due until it is back.")
        return
    if not tick.batches:
        away = " The queue is away; due jobs are looked up once a second." if tick.queue_away else ""
        yield SkipReason(f"No {system} job is due, or every slot is taken.{away}")


def run_request(batch: Batch) -> RunRequest:
    """The run of a batch: told its batch and nothing else; its tags lead from the run to the batch, tenant and workflow."""
    return RunRequest(
        run_key=str(batch.id),
        job_name=job_name_of(batch.workflow),
        run_config=run_config_of(batch.id),
        tags={
            BATCH_TAG: str(batch.id),
            WORKFLOW_TAG: batch.workflow,
            SYSTEM_TAG: batch.system,
            TENANT_ID_TAG: str(batch.tenant_id),
            LANE_TAG: batch.lane,
            PRIORITY_TAG: PRIORITIES[min(batch.priority, len(PRIORITIES) - 1)],
            TRACE_TAG: batch.trace_id.hex,
            **({JOB_COUNT_TAG: str(len(batch.job_ids))} if len(batch.job_ids) > 1 else {}),
        },
    )
