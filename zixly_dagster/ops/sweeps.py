"""What the ops of `trading-sweep` share: how a job's checkpoint tells which sweep is its own, and what a callback told of it."""

from collections.abc import Sequence
from uuid import UUID

from zixly_core.errors import Permanent
from zixly_core.job import ClaimedJob, RelatedRecord
from zixly_core.stores.payloads import payloads_of
from zixly_core.systems.sweeps.client import SYSTEM, SweepsClient
from zixly_core.systems.sweeps.results import REPORT, SweepReport, read_as
from zixly_dagster.resources.batch import BatchWork

SWEEP = "sweep"
TICKER = "ticker"
# Counts the sweeps of a job that came to nothing at the service: whoever retries the job by hand wants a new one.
LOST_SWEEPS = "lost_sweeps"


def without_sweep(work: BatchWork) -> list[ClaimedJob]:
    """The jobs in hand whose sweep is not started yet, or came to nothing."""
    return [job for job in work.jobs() if not job.checkpoint.get(SWEEP) and "result" not in job.checkpoint]


def with_sweep(work: BatchWork) -> list[ClaimedJob]:
    """The jobs in hand whose sweep is started, and whose result is not kept yet."""
    return [job for job in work.jobs() if job.checkpoint.get(SWEEP) and "result" not in job.checkpoint]


def sweep_of(job: ClaimedJob) -> str:
    """The id of the job's sweep at the service."""
    return str(job.checkpoint[SWEEP])


def lost(job: ClaimedJob) -> dict[str, object]:
    """The checkpoint of a job whose sweep came to nothing."""
    return {SWEEP: None, LOST_SWEEPS: lost_sweeps(job) + 1}


def lost_sweeps(job: ClaimedJob) -> int:
    return int(job.checkpoint.get(LOST_SWEEPS, 0))


def related(client: SweepsClient, sweep_id: str, *, is_new: bool = False) -> RelatedRecord:
    return RelatedRecord(SYSTEM, "sweep", sweep_id, "CREATE" if is_new else "READ", url=client.url_of(sweep_id))


def reports_of(work: BatchWork, jobs: Sequence[ClaimedJob]) -> dict[UUID, SweepReport]:
    """What callbacks told, by job. One that does not have the agreed form, or is about another sweep, told nothing: then the
    service is asked."""
    woken_by = [job.wake_event_id for job in jobs if job.wake_event_id is not None]
    payloads = payloads_of(work.database, work.run, woken_by, objects=work.objects)
    reports: dict[UUID, SweepReport] = {}
    for job in jobs:
        if job.wake_event_id is None or job.wake_event_id not in payloads:
            continue
        try:
            report = read_as(REPORT, payloads[job.wake_event_id], what=f"the callback of job {job.id}")
        except Permanent:
            continue
        if report.job_id == sweep_of(job):
            reports[job.id] = report
    return reports
