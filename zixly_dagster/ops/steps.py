"""What every op does around its own work: which jobs are its turn, and how what it learned about each is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zixly_core.effects import WriteOutcome, Written
from zixly_core.errors import BudgetSpent, VendorDown, ZixlyError
from zixly_core.job import Action, ClaimedJob, Completed, End, Failed, JobEnd, RelatedRecord, failure_from
from zixly_core.stores.claims import Progress
from zixly_core.stores.connections import ConfiguredConnection, partner_connection
from zixly_dagster.ops.story import Step
from zixly_dagster.resources.batch import BatchWork

# What checkpoints of dry runs keep their planned writes under, before the effect key.
PLANNED = "planned:"
# By which the planned writes of a job are told in the order in which they would be made.
ORDER = "order"


@dataclass(frozen=True)
class Done:
    """The step is done with a job, which goes on: what it leaves in the checkpoint, the log and the related records."""

    message: str
    checkpoint: Mapping[str, Any] = field(default_factory=dict, repr=False)
    related: Sequence[RelatedRecord] = ()


@dataclass(frozen=True)
class Stop:
    """The job ends here, or this attempt of it."""

    end: End
    message: str
    related: Sequence[RelatedRecord] = ()


Outcome = Done | Stop


def pending(work: BatchWork, *, needs: Sequence[str] = (), lacks: str) -> list[ClaimedJob]:
    """The jobs in hand whose checkpoint has everything that a step needs, and not yet what it makes."""
    return [job for job in work.jobs() if lacks not in job.checkpoint and all(name in job.checkpoint for name in needs)]


def skipped(why: str, **ids: str) -> Stop:
    """Nothing is to be done about this job's record: a result, not a failure."""
    return Stop(Completed({"skipped": why, **ids}), why)


def stopped(error: ZixlyError | Failed) -> Stop:
    """The attempt failed."""
    failure = error if isinstance(error, Failed) else failure_from(error)
    return Stop(failure, failure.message)


def keep_outcomes(work: BatchWork, step: Step, outcomes: Sequence[tuple[ClaimedJob, Outcome]]) -> int:
    """Keep what a step came to with each job and settle those that end with it; how many go on."""
    ends = [JobEnd(job, outcome.end) for job, outcome in outcomes if isinstance(outcome, Stop)]
    work.settle(ends, learned=[progress_of(job, outcome, step) for job, outcome in outcomes])
    return len(outcomes) - len(ends)


def progress_of(job: ClaimedJob, outcome: Outcome, step: Step) -> Progress:
    checkpoint = outcome.checkpoint if isinstance(outcome, Done) else {}
    return Progress(job, checkpoint=checkpoint, entries=[step.entry(outcome.message)], related=outcome.related)


def each_of(jobs: Sequence[ClaimedJob], do: Callable[[ClaimedJob], Outcome]) -> list[tuple[ClaimedJob, Outcome]]:
    """One outcome for each job; an error of ours is the failure of its own job and of no other."""
    outcomes: list[tuple[ClaimedJob, Outcome]] = []
    for job in jobs:
        try:
            outcomes.append((job, do(job)))
        except ZixlyError as error:
            outcomes.append((job, stopped(error)))
    return outcomes


def first_failure(outcomes: Sequence[WriteOutcome | None]) -> Failed | None:
    """The failure among several writes of one job that says most: one that is final comes before one that is tried again."""
    failures = [one for one in outcomes if isinstance(one, Failed)]
    return min(failures, key=lambda one: not one.permanent, default=None)


def creating(written: Written) -> Action:
    """What a job did to a record that it was to create: another one may have been there before it."""
    return "READ" if written.by_other else "CREATE"


def plans_of(written: Mapping[str, WriteOutcome | None]) -> dict[str, Any]:
    """The planned writes of a dry run, for its checkpoint."""
    return {PLANNED + key: one.planned for key, one in written.items() if isinstance(one, Written) and one.planned is not None}


def source_of(work: BatchWork, job: ClaimedJob) -> ConfiguredConnection:
    """The connection that the job's event came from."""
    return work.connection(job.connection_id)


def target_of(work: BatchWork, source: ConfiguredConnection, *, system: str) -> ConfiguredConnection:
    """The connection of another system that a workflow writes to. Raises `Permanent` where that cannot be decided, and
    `BudgetSpent` or `VendorDown` for an account that is parked: dispatch looks at the connection of the job, which is another one."""
    target = partner_connection(work.database, work.run, source, system=system)
    if target.parked_for is not None and target.parked_reason == VendorDown.default_reason:
        raise VendorDown(f"The {system} connection {target.id} rests: its vendor does not answer.", connection_id=target.id, was_sent=False)
    if target.parked_for is not None:
        raise BudgetSpent(
            f"The {system} connection {target.id} is parked for {int(target.parked_for.total_seconds())} s more.",
            reason=target.parked_reason or "parked",
            retry_after=target.parked_for,
            connection_id=target.id,
        )
    return target
