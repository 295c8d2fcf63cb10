"""The sweep sensor: repairs what queues, runs and workers forgot, and ends in Dagster the runs that vanished."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from zixly_core.errors import QueueUnavailable, StoreUnavailable
from zixly_core.stores.account_rests import end_rests
from zixly_core.stores.database import Database
from zixly_core.stores.pauses import end_pauses, mirror_switches
from zixly_core.stores.sweep import Begun, Swept, sweep, unclaimed_batches
from zixly_dagster.instance.lost_runs import LostRuns
from zixly_dagster.instance.waiting_runs import WaitingRuns
from zixly_dagster.resources.dispatchers import DispatchersResource
from zixly_dagster.workflow import BATCH_TAG, DISPATCH_PREFIX

log = structlog.get_logger()

UNFINISHED = [
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
# What Dagster calls a sensor that was switched off.
STOPPED = "STOPPED"
# The first op of a run claims at once; a run that is alive has done so long before.
CLAIMS_WITHIN = timedelta(seconds=60)
VANISHED = "The worker of this run vanished: its lease was not renewed. Its jobs were taken back and go on in another run."
NOT_TAKEN = "No worker took this run in time. Its jobs were given back and go on in another run."


def sweep_sensor() -> SensorDefinition:
    """Every few seconds; does nothing but repair, so it may run beside anything."""

    lost_runs, waiting = LostRuns(), WaitingRuns()

    @sensor(
        name="sweep",
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        description=(
            "Takes jobs back from runs that vanished and ends those runs, opens batches that no run came for, and announces due "
            "jobs that the queue forgot. It launches nothing itself. Keep it on."
        ),
    )
    def sweep_ledger(context: SensorEvaluationContext, dispatchers: DispatchersResource) -> SkipReason:
        try:
            tidy(context, dispatchers.dispatch())
            limits = dispatchers.sweep_limits()
            unclaimed = unclaimed_batches(dispatchers.dispatch(), limits=limits)
            # In this order: a run that goes on meanwhile is found where it goes to.
            waits = waiting.batches(context.instance, unclaimed)
            begun = begun_among(context.instance, unclaimed, now=datetime.now(UTC))
            begun = replace(begun, lately={*begun.lately, *waits})
            swept = sweep(dispatchers.dispatch(), limits=limits, begun=begun)
        except StoreUnavailable as error:
            return SkipReason(f"Postgres is away, nothing was swept: {error}")
        end_runs(context.instance, swept)
        announce(dispatchers, swept)
        lost_runs.end(context.instance)
        return SkipReason(summary_of(swept))

    return sweep_ledger


def tidy(context: SensorEvaluationContext, database: Database) -> None:
    """End pauses and rests whose time is over, and see which systems an operator has switched off."""
    end_pauses(database)
    end_rests(database)
    origin, repository = context.code_location_origin, context.repository_name
    if origin is not None and repository is not None:
        mirror_switches(database, switched_off(context.instance, location=origin.location_name, repository=repository))


def switched_off(instance: DagsterInstance, *, location: str, repository: str) -> list[str]:
    """The systems whose dispatch sensor somebody switched off in the Dagster UI."""
    states = instance.all_instigator_state()
    return sorted(
        state.instigator_name.removeprefix(DISPATCH_PREFIX)
        for state in states
        if state.instigator_name.startswith(DISPATCH_PREFIX)
        and state.status.value == STOPPED
        and state.origin.repository_origin.repository_name == repository
        and state.origin.repository_origin.code_location_origin.location_name == location
    )


def begun_among(instance: DagsterInstance, batches: Sequence[UUID], *, now: datetime) -> Begun:
    """Which of the batches, that no run has claimed, a run has begun with. A run that waits, or that came to an end and said so, is none
    of the jobs' doing."""
    if not batches:
        return Begun()
    started = RunsFilter(statuses=[DagsterRunStatus.STARTED], tags={BATCH_TAG: [str(one) for one in batches]})
    lately: set[UUID] = set()
    died: dict[UUID, str] = {}
    for record in instance.get_run_records(started):
        batch_id = UUID(record.dagster_run.tags[BATCH_TAG])
        if record.start_time is None or now.timestamp() - record.start_time < CLAIMS_WITHIN.total_seconds():
            lately.add(batch_id)
        else:
            died[batch_id] = record.dagster_run.run_id
    return Begun(lately=lately, died=died)


def end_runs(instance: DagsterInstance, swept: Swept) -> None:
    """Report the runs that will not come to an end by themselves as failed, saying why."""
    for run_id in swept.vanished_runs:
        log.warning("run_vanished", run_id=run_id, job_ids=[one.job_id for one in swept.taken_back if one.run_id == run_id])
        report_failed(instance, RunsFilter(run_ids=[run_id], statuses=UNFINISHED), message=VANISHED)
    for batch_id in swept.released_batches:
        log.warning("batch_not_taken", batch_id=batch_id)
        report_failed(instance, RunsFilter(tags={BATCH_TAG: str(batch_id)}, statuses=UNFINISHED), message=NOT_TAKEN)


def report_failed(instance: DagsterInstance, chosen: RunsFilter, *, message: str) -> None:
    for run in instance.get_runs(chosen):
        instance.report_run_failed(run, message)


def announce(dispatchers: DispatchersResource, swept: Swept) -> None:
    """Put forgotten job ids on their queues again. A queue that is away is announced to by the next sweep."""
    for system, job_ids in swept.to_announce.items():
        log.info("jobs_announced_again", system=system, jobs=len(job_ids))
        try:
            dispatchers.queue_of(system).send(job_ids)
        except QueueUnavailable:
            continue


def summary_of(swept: Swept) -> str:
    parts: Sequence[str] = [
        f"{len(swept.taken_back)} jobs taken back from {len(swept.vanished_runs)} runs" if swept.taken_back else "",
        f"{len(swept.released_batches)} batches opened that no run came for" if swept.released_batches else "",
        f"{sum(map(len, swept.to_announce.values()))} due jobs announced again" if swept.to_announce else "",
    ]
    return "; ".join(part for part in parts if part) + "." if any(parts) else "Nothing to repair."
