"""The op that starts sweeps at the service: one for each job, whatever is killed on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from dagster import OpExecutionContext, op

from zixly_core.connection_settings import CallbacksSettings, settings_in
from zixly_core.effects import TargetWrite, WriteOutcome, Written, creation
from zixly_core.errors import Rejected, ZixlyError
from zixly_core.job import ClaimedJob, Failed
from zixly_core.stores import payloads
from zixly_core.systems.callbacks.sweep_request import SweepRequest, sweep_request_of
from zixly_core.systems.sweeps.client import SYSTEM, SweepsClient
from zixly_dagster.ops.batch import AFTER, DONE
from zixly_dagster.ops.steps import Done, Outcome, keep_outcomes, plans_of, source_of, stopped
from zixly_dagster.ops.story import Step, counted, job_row, show
from zixly_dagster.ops.sweeps import SWEEP, TICKER, lost_sweeps, related, without_sweep
from zixly_dagster.ops.sweeps_callback import callback_url_of
from zixly_dagster.ops.vendor_calls import end_all
from zixly_dagster.ops.writing import VendorWrites, carried_out
from zixly_dagster.resources.batch import BatchResource, BatchWork
from zixly_dagster.resources.sweeps import SweepsResource

OPERATION = "sweeps.start"
FIELDS = {"ticker", "fast_range", "slow_range", "step", "strategy_type"}


@dataclass(frozen=True)
class Start:
    """A sweep to be started."""

    write: TargetWrite
    request: SweepRequest
    calls_back: bool


@op(ins=AFTER, out=DONE, tags={"kind": "sweeps"})
def start_sweeps(context: OpExecutionContext, batch: BatchResource, sweeps: SweepsResource) -> None:
    """Ask the service for the sweeps of the batch's jobs, one call each. The effect key goes along as idempotency key, so a sweep
    whose answer was lost is found again and not started twice."""
    step = Step("start")
    work = batch.work(context)
    jobs = without_sweep(work)
    if not jobs:
        show(context, summary="No sweep is left to start.", started=0)
        return
    try:
        source = source_of(work, jobs[0])
        calls_back = settings_in(CallbacksSettings, source.settings, connection_id=source.id).sweeps.callback
    except ZixlyError as error:
        end_all(work, jobs, error, step=step)
        show(context, summary=f"No sweep was started ({error.reason}).", started=0)
        return
    client = sweeps.client(work)
    asked = requests_of(work, jobs)
    starts = [
        Start(write_of(job, request), request, calls_back=calls_back or request.callback)
        for job in jobs
        if isinstance(request := asked[job.id], SweepRequest)
    ]
    done = carried_out(work, [start.write for start in starts], how_to_start(work, client, starts, connection_id=jobs[0].connection_id))
    outcomes: list[tuple[ClaimedJob, Outcome]] = [(job, stopped(why)) for job in jobs if isinstance(why := asked[job.id], Failed)]
    outcomes += [
        (start.write.job, outcome_of(start.write, done.outcomes[start.write.effect_key], client, ticker=start.request.ticker))
        for start in starts
        if start.write.effect_key in done.outcomes
    ]
    started = keep_outcomes(work, step, outcomes)
    rows = [job_row(job, outcome.message) for job, outcome in outcomes]
    show(context, summary=f"Started {started} of {counted(len(jobs), 'sweep')}.", rows=rows, started=started)


def requests_of(work: BatchWork, jobs: Sequence[ClaimedJob]) -> dict[UUID, SweepRequest | Failed]:
    """What each job's event asks for, by job; one that cannot be carried out fails its job."""
    told = payloads.requests_of(work.database, work.run, jobs, objects=work.objects)
    return {job.id: request_from(job, told.get(job.id)) for job in jobs}


def request_from(job: ClaimedJob, payload: Any) -> SweepRequest | Failed:
    if not isinstance(payload, Mapping):
        return Failed("event_gone", f"The event of job {job.id} is not kept any more, so nobody knows what was asked for.", permanent=True)
    try:
        return sweep_request_of(payload)
    except Rejected as error:
        return Failed(error.reason, f"The request cannot be carried out: {error}", permanent=True)


def write_of(job: ClaimedJob, request: SweepRequest) -> TargetWrite:
    """One sweep for what was asked once, and another one after a sweep that came to nothing."""
    return creation(
        job,
        system=SYSTEM,
        account="",
        operation=OPERATION,
        source_key=job.source_key,
        content={name: orjson.dumps(value).decode() for name, value in body_of(request).items()},
        part=str(lost_sweeps(job) or ""),
    )


def body_of(request: SweepRequest) -> dict[str, Any]:
    return request.model_dump(mode="json", include=FIELDS)


def how_to_start(work: BatchWork, client: SweepsClient, starts: Sequence[Start], *, connection_id: UUID) -> VendorWrites:
    """One call for each sweep. Nothing is looked for first: the service itself knows by the key what it was asked for already."""
    by_key = {start.write.effect_key: start for start in starts}

    def send(writes: Sequence[TargetWrite]) -> dict[str, WriteOutcome]:
        return {write.effect_key: Written({"sweep_id": started(write, by_key[write.effect_key])}) for write in writes}

    def started(write: TargetWrite, start: Start) -> str:
        callback = callback_url_of(work, write.job) if start.calls_back else None
        return client.start(body_of(start.request), idempotency_key=write.vendor_key, callback_url=callback)

    return VendorWrites(connection_id=connection_id, size=1, look=lambda _writes: {}, send=send)


def outcome_of(write: TargetWrite, outcome: WriteOutcome, client: SweepsClient, *, ticker: str) -> Outcome:
    if isinstance(outcome, Failed):
        return stopped(outcome)
    if outcome.planned is not None:
        return Done("would start a sweep", checkpoint={"result": {}, **plans_of({write.effect_key: outcome})})
    sweep_id = str(outcome.result["sweep_id"])
    checkpoint = {SWEEP: sweep_id, TICKER: ticker}  # by which it is counted (stores/sweep_counts.py)
    return Done(f"sweep {sweep_id}", checkpoint=checkpoint, related=[related(client, sweep_id, is_new=True)])
